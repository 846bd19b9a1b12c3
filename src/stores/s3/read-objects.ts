/** GetObject, HeadObject and what else tells of one object. */
import type { Readable } from 'node:stream';
import {
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
} from '@aws-sdk/client-s3';
import { formatRange } from '../../../s3-api/byte-range.js';
import { errors } from '../../../s3-api/errors.js';
import type { ObjectContent, ObjectPart, ReadOptions, TagSet } from '../../../s3-api/object-store.js';
import { readHeaders, type Backing } from './backing.js';
import { checksumsOf, conditionFields, objectInfo } from './convert.js';

export async function headObject(
  backing: Backing,
  bucket: string,
  key: string,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<Omit<ObjectContent, 'body'>> {
  const command = new HeadObjectCommand({ ...backing.object(bucket, key), ...readFields(options) });
  const output = await backing.client.send(command, { signal, bucket, key, headers: readHeaders(options) });
  return describeRead(key, output.ContentLength ?? 0, output.ContentRange, output);
}

export async function getObject(
  backing: Backing,
  bucket: string,
  key: string,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<ObjectContent> {
  // S3 answers every suffix of an empty object, and a suffix of nothing, with InvalidRange; not every server does.
  if (options.range?.kind === 'suffix' && options.range.length === 0) {
    const { info } = await headObject(backing, bucket, key, withoutRange(options), signal);
    throw errors.invalidRange(formatRange(options.range), info.size);
  }
  const command = new GetObjectCommand({ ...backing.object(bucket, key), ...readFields(options) });
  const output = await backing.client.send(command, { signal, bucket, key, headers: readHeaders(options) });
  return {
    ...describeRead(key, output.ContentLength ?? 0, output.ContentRange, output),
    body: output.Body as Readable,
  };
}

function withoutRange({ range: _, ...options }: ReadOptions): ReadOptions {
  return options;
}

/** Every part of an object that was uploaded in parts; where the server does not tell, none. */
export async function listObjectParts(
  backing: Backing,
  bucket: string,
  key: string,
  signal: AbortSignal,
): Promise<readonly ObjectPart[]> {
  const parts: ObjectPart[] = [];
  let marker: string | undefined;
  do {
    const command = new GetObjectAttributesCommand({
      ...backing.object(bucket, key),
      ObjectAttributes: ['ObjectParts'],
      ...(marker !== undefined && { PartNumberMarker: marker }),
    });
    const { ObjectParts: page } = await backing.client.send(command, { signal, bucket, key });
    for (const part of page?.Parts ?? []) {
      const checksums = checksumsOf(part);
      parts.push({
        partNumber: part.PartNumber ?? 0,
        size: part.Size ?? 0,
        ...(checksums.length > 0 && { checksums }),
      });
    }
    marker = page?.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return parts;
}

export async function getObjectTags(
  backing: Backing,
  bucket: string,
  key: string,
  signal: AbortSignal,
): Promise<TagSet> {
  const command = new GetObjectTaggingCommand(backing.object(bucket, key));
  const { TagSet: tags = [] } = await backing.client.send(command, { signal, bucket, key });
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

function readFields({ range, partNumber, versionId, conditions }: ReadOptions) {
  return {
    ...(range && { Range: formatRange(range) }),
    ...(partNumber !== undefined && { PartNumber: partNumber }),
    ...(versionId !== undefined && { VersionId: versionId }),
    ...conditionFields(conditions),
  };
}

function describeRead(
  key: string,
  length: number,
  contentRange: string | undefined,
  output: Parameters<typeof objectInfo>[2],
): Omit<ObjectContent, 'body'> {
  const range = contentRange === undefined ? undefined : parseContentRange(contentRange);
  if (range === undefined) return { info: objectInfo(key, length, output) };
  return { info: objectInfo(key, range.size, output), range: { first: range.first, last: range.last } };
}

/** `bytes 0-99/1000`. */
function parseContentRange(header: string): { first: number; last: number; size: number } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header);
  return match ? { first: Number(match[1]), last: Number(match[2]), size: Number(match[3]) } : undefined;
}
