/** What the operations that create objects share: options from headers. */
import { parseConditions } from '../conditions.js';
import { errors, S3Error } from '../errors.js';
import { parseStorageClass, parseSystemMetadata, parseTaggingHeader, parseUserMetadata } from '../headers/metadata.js';
import { passThroughHeaders } from '../headers/pass-through.js';
import type { Conditions, WriteOptions } from '../object-store.js';
import { refuseAclHeaders } from './acl-headers.js';

/** Bytes of one PUT or part. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Metadata, tags, class and headers for the store. Throws the errors of each. */
export function newObjectOptions(
  headers: ReadonlyMap<string, string>,
): Pick<WriteOptions, 'systemMetadata' | 'userMetadata' | 'tags' | 'storageClass' | 'passThroughHeaders'> {
  refuseAclHeaders(headers);
  refuseObjectLock(headers);
  const tags = parseTaggingHeader(headers);
  const storageClass = parseStorageClass(headers);
  const passed = passThroughHeaders(headers);
  return {
    systemMetadata: parseSystemMetadata(headers),
    userMetadata: parseUserMetadata(headers),
    ...(tags !== undefined && { tags }),
    ...(storageClass !== undefined && { storageClass }),
    ...(passed !== undefined && { passThroughHeaders: passed }),
  };
}

function refuseObjectLock(headers: ReadonlyMap<string, string>): void {
  for (const name of headers.keys())
    if (name.startsWith('x-amz-object-lock-'))
      throw errors.invalidRequest('Bucket is missing Object Lock Configuration');
}

/**
 * `If-Match` and `If-None-Match: *` of a write; S3 implements no others there.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function writeConditions(headers: ReadonlyMap<string, string>): Conditions | undefined {
  const conditions = parseConditions(headers);
  if (conditions === undefined) return undefined;
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifNoneMatch !== undefined && ifNoneMatch.join() !== '*') throw notImplementedHeader('If-None-Match');
  if (ifMatch !== undefined && ifNoneMatch !== undefined) throw notImplementedHeader('If-Match,If-None-Match');
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return { ...(ifMatch !== undefined && { ifMatch }), ...(ifNoneMatch !== undefined && { ifNoneMatch }) };
}

function notImplementedHeader(header: string): S3Error {
  return new S3Error('NotImplemented', 'A header you provided implies functionality that is not implemented.', {
    fields: { Header: header },
  });
}

/** Throws EntityTooLarge where the declared length is beyond `maximum` bytes. */
export function requireSize(headers: ReadonlyMap<string, string>, maximum: number): void {
  const declared = Number(headers.get('x-amz-decoded-content-length') ?? headers.get('content-length') ?? 0);
  if (declared > maximum)
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      fields: { ProposedSize: String(declared), MaxSizeAllowed: String(maximum) },
    });
}
