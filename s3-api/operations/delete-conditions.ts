/** The conditions of DeleteObject and of each object of DeleteObjects. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
import { errors } from '../errors.js';
import { parseEtagList } from '../etag.js';
import type { Conditions } from '../object-store.js';

/** Each as its header or element says it. Throws InvalidArgument for a size or time that is none. */
export function deleteConditions(
  etag: string | undefined,
  size: string | undefined,
  lastModified: string | undefined,
): Conditions | undefined {
  if (etag === undefined && size === undefined && lastModified === undefined) return undefined;
  if (size !== undefined && !/^\d{1,15}$/.test(size))
    throw errors.invalidArgument('x-amz-if-match-size', size, 'The size must be a number of bytes.');
  const time = lastModified === undefined ? undefined : Date.parse(lastModified);
  if (time !== undefined && Number.isNaN(time))
    throw errors.invalidArgument('x-amz-if-match-last-modified-time', lastModified ?? '', 'The time is not valid.');
  return {
    ...(etag !== undefined && { ifMatch: parseEtagList(etag) }),
    ...(size !== undefined && { ifMatchSize: Number(size) }),
    ...(time !== undefined && { ifMatchLastModified: new Date(time) }),
  };
}
