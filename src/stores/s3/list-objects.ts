/** Listings of objects and buckets. */
import { ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { compareKeys } from '../../../s3-api/key-order.js';
import { commonPrefixOf } from '../../../s3-api/list-page.js';
import type { Bucket, ListedObject, ListOptions, ObjectListing } from '../../../s3-api/object-store.js';
import type { Backing } from './backing.js';
import { knownAlgorithms, unquote } from './convert.js';
import { STAGING_PREFIX } from './uploads/staging-keys.js';

/** Sorts behind every key that starts with a common prefix: a listing that goes on there skips the prefix. */
const AFTER_EVERY_KEY = '\u{10FFFF}';

/** The buckets over there that are ours, in the order of our names. */
export async function listBuckets(backing: Backing, signal: AbortSignal): Promise<readonly Bucket[]> {
  const found: Bucket[] = [];
  let token: string | undefined;
  do {
    const command = new ListBucketsCommand(token === undefined ? {} : { ContinuationToken: token });
    const output = await backing.client.send(command, { signal });
    for (const { Name = '', CreationDate } of output.Buckets ?? []) {
      const name = backing.names.fromBacking(Name);
      if (name !== undefined) found.push({ name, creationDate: CreationDate ?? new Date(0) });
    }
    token = output.ContinuationToken;
  } while (token !== undefined && token !== '');
  return found.sort((a, b) => compareKeys(a.name, b.name));
}

/** What clients stored: the parts of uploads in progress, which lie beside it, are passed over. */
export async function listObjects(
  backing: Backing,
  bucket: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<ObjectListing> {
  const page = await listAll(backing, bucket, options, signal);
  const objects = page.objects.filter(({ key }) => !key.startsWith(STAGING_PREFIX));
  const commonPrefixes = page.commonPrefixes.filter((group) => !group.startsWith(STAGING_PREFIX));
  const shown = objects.length + commonPrefixes.length;
  if (shown === page.objects.length + page.commonPrefixes.length) return page;
  if (!page.isTruncated) return { ...page, objects, commonPrefixes };
  const behind = STAGING_PREFIX + AFTER_EVERY_KEY;
  const { nextStartAfter = behind } = page;
  const startAfter = compareKeys(nextStartAfter, behind) > 0 ? nextStartAfter : behind;
  const left = { ...options, startAfter, maxKeys: options.maxKeys - shown };
  const rest = await listObjects(backing, bucket, left, signal);
  return {
    ...rest,
    objects: [...objects, ...rest.objects],
    commonPrefixes: [...commonPrefixes, ...rest.commonPrefixes],
  };
}

async function listAll(
  backing: Backing,
  bucket: string,
  { prefix = '', delimiter = '', startAfter = '', maxKeys }: ListOptions,
  signal: AbortSignal,
): Promise<ObjectListing> {
  const command = new ListObjectsV2Command({
    ...backing.bucket(bucket),
    MaxKeys: maxKeys,
    EncodingType: 'url',
    ...(prefix !== '' && { Prefix: prefix }),
    ...(delimiter !== '' && { Delimiter: delimiter }),
    ...(startAfter !== '' && { StartAfter: behindPrefix(startAfter, prefix, delimiter) }),
  });
  const output = await backing.client.send(command, { signal, bucket });
  const decode = output.EncodingType === 'url' ? decodeListed : (text: string) => text;
  const objects = (output.Contents ?? []).map((entry): ListedObject => {
    const { Key = '', Size = 0, ETag, LastModified, StorageClass, ChecksumAlgorithm, ChecksumType } = entry;
    return {
      key: decode(Key),
      size: Size,
      etag: unquote(ETag),
      lastModified: LastModified ?? new Date(0),
      ...(StorageClass !== undefined && { storageClass: StorageClass }),
      ...(ChecksumAlgorithm && { checksumAlgorithms: knownAlgorithms(ChecksumAlgorithm) }),
      ...(ChecksumType && { checksumType: ChecksumType }),
    };
  });
  const commonPrefixes = (output.CommonPrefixes ?? []).map(({ Prefix = '' }) => decode(Prefix));
  const isTruncated = maxKeys > 0 && output.IsTruncated === true;
  const last = lastOf(objects.at(-1)?.key, commonPrefixes.at(-1));
  return { objects, commonPrefixes, isTruncated, ...(isTruncated && last !== undefined && { nextStartAfter: last }) };
}

function lastOf(key: string | undefined, prefix: string | undefined): string | undefined {
  if (key === undefined || prefix === undefined) return key ?? prefix;
  return compareKeys(key, prefix) > 0 ? key : prefix;
}

/** Where the marker is a common prefix or lies in one, the listing goes on behind all of its keys. */
function behindPrefix(startAfter: string, prefix: string, delimiter: string): string {
  const group = startAfter.startsWith(prefix) ? commonPrefixOf(startAfter, prefix, delimiter) : undefined;
  return group === undefined ? startAfter : group + AFTER_EVERY_KEY;
}

/** S3 writes a space as `+` in listings of `encoding-type=url`. */
function decodeListed(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
