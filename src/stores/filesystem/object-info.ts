/** What S3 says of an object, from its record; and which bytes a read asks for. */
import { resolveByteRange } from '../../../s3-api/byte-range.js';
import { errors, S3Error } from '../../../s3-api/errors.js';
import type { ListedObject, ObjectInfo, ReadOptions, ResolvedByteRange } from '../../../s3-api/object-store.js';
import type { ObjectVersion } from './records.js';

export function objectInfo(key: string, version: ObjectVersion): ObjectInfo {
  const { size, etag, lastModified, systemMetadata, userMetadata, checksums, parts, tags, storageClass } = version;
  const tagCount = Object.keys(tags ?? {}).length;
  return {
    key,
    size,
    etag,
    lastModified: new Date(lastModified),
    systemMetadata,
    userMetadata,
    ...(checksums !== undefined && { checksums }),
    ...(parts !== undefined && { partsCount: parts.length }),
    ...(tagCount > 0 && { tagCount }),
    ...(storageClass !== undefined && { storageClass }),
  };
}

export function listedObject(key: string, version: ObjectVersion): ListedObject {
  const { size, etag, lastModified, checksums, storageClass } = version;
  const type = checksums?.[0]?.type;
  return {
    key,
    size,
    etag,
    lastModified: new Date(lastModified),
    ...(storageClass !== undefined && { storageClass }),
    ...(checksums !== undefined && { checksumAlgorithms: checksums.map(({ algorithm }) => algorithm) }),
    ...(type !== undefined && { checksumType: type }),
  };
}

/** The bytes that Range or partNumber name. Throws InvalidRange, InvalidPartNumber or InvalidRequest. */
export function requestedRange(options: ReadOptions, version: ObjectVersion): ResolvedByteRange | undefined {
  const { range, partNumber } = options;
  if (partNumber === undefined) return range === undefined ? undefined : resolveByteRange(range, version.size);
  if (range !== undefined)
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  return partRange(partNumber, version);
}

function partRange(partNumber: number, { parts, size }: ObjectVersion): ResolvedByteRange | undefined {
  const layout = parts ?? [{ partNumber: 1, size }];
  let first = 0;
  for (const part of layout) {
    // An empty object has no byte that a range could name: part 1 is then the whole answer.
    if (part.partNumber === partNumber) return part.size === 0 ? undefined : { first, last: first + part.size - 1 };
    first += part.size;
  }
  throw errors.invalidPartNumber(partNumber, layout.length);
}

/** This store keeps one version of each object, the one that S3 calls `null`. */
export function refuseVersion(key: string, versionId: string | undefined): void {
  if (versionId !== undefined && versionId !== 'null') throw errors.noSuchVersion(key, versionId);
}

/** What this store cannot do must not look done. */
export function refuseEncryptionHeaders(headers: Readonly<Record<string, string>> | undefined): void {
  for (const name of Object.keys(headers ?? {})) {
    if (name.startsWith('x-amz-server-side-encryption') || name.startsWith('x-amz-copy-source-server-side-encryption'))
      throw errors.notImplemented(name);
  }
}
