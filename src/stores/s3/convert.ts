/** Between the SDK's shapes and ours. */
import type { StorageClass } from '@aws-sdk/client-s3';
import type {
  ChecksumAlgorithm,
  Conditions,
  ObjectChecksum,
  ObjectInfo,
  SystemMetadata,
  TagSet,
  UserMetadata,
  WriteResult,
} from '../../../s3-api/object-store.js';

const CHECKSUM_FIELDS = {
  CRC32: 'ChecksumCRC32',
  CRC32C: 'ChecksumCRC32C',
  CRC64NVME: 'ChecksumCRC64NVME',
  SHA1: 'ChecksumSHA1',
  SHA256: 'ChecksumSHA256',
} as const satisfies Record<ChecksumAlgorithm, string>;
type ChecksumField = (typeof CHECKSUM_FIELDS)[ChecksumAlgorithm];

type Checksums = { readonly [Field in ChecksumField]?: string | undefined } & {
  readonly ChecksumType?: string | undefined;
};

export function checksumsOf(output: Checksums): ObjectChecksum[] {
  return algorithms().flatMap((algorithm) => {
    const value = output[CHECKSUM_FIELDS[algorithm]];
    if (value === undefined) return [];
    const composite = output.ChecksumType === 'COMPOSITE' || (output.ChecksumType === undefined && value.includes('-'));
    return [{ algorithm, type: composite ? 'COMPOSITE' : 'FULL_OBJECT', value } as const];
  });
}

/** `{ ChecksumCRC32: value }`. */
export function checksumField(
  checksum: Pick<ObjectChecksum, 'algorithm' | 'value'> | undefined,
): Partial<Record<ChecksumField, string>> {
  return checksum ? { [CHECKSUM_FIELDS[checksum.algorithm]]: checksum.value } : {};
}

function algorithms(): ChecksumAlgorithm[] {
  return Object.keys(CHECKSUM_FIELDS) as ChecksumAlgorithm[];
}

export function knownAlgorithms(names: readonly string[] | undefined): ChecksumAlgorithm[] {
  return algorithms().filter((algorithm) => names?.includes(algorithm));
}

export function unquote(etag: string | undefined): string {
  return (etag ?? '').replace(/^"|"$/g, '');
}

export function conditionFields({ ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince }: Conditions = {}) {
  return {
    ...(ifMatch && { IfMatch: etagList(ifMatch) }),
    ...(ifNoneMatch && { IfNoneMatch: etagList(ifNoneMatch) }),
    ...(ifModifiedSince && { IfModifiedSince: ifModifiedSince }),
    ...(ifUnmodifiedSince && { IfUnmodifiedSince: ifUnmodifiedSince }),
  };
}

export function etagList(etags: readonly string[]): string {
  return etags.map((etag) => (etag === '*' ? etag : `"${etag}"`)).join(', ');
}

/** S3's own; the SDK would say another. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

export function metadataFields(system: SystemMetadata, user: UserMetadata) {
  const {
    contentType,
    contentEncoding,
    contentDisposition,
    contentLanguage,
    cacheControl,
    expires,
    websiteRedirectLocation,
  } = system;
  const expiry = expires === undefined ? undefined : new Date(expires);
  return {
    Metadata: Object.fromEntries(Object.entries(user).map(([name, value]) => [name, encodeMetadataValue(value)])),
    ContentType: contentType ?? DEFAULT_CONTENT_TYPE,
    ...(contentEncoding !== undefined && { ContentEncoding: contentEncoding }),
    ...(contentDisposition !== undefined && { ContentDisposition: contentDisposition }),
    ...(contentLanguage !== undefined && { ContentLanguage: contentLanguage }),
    ...(cacheControl !== undefined && { CacheControl: cacheControl }),
    ...(expiry && !Number.isNaN(expiry.getTime()) && { Expires: expiry }),
    ...(websiteRedirectLocation !== undefined && { WebsiteRedirectLocation: websiteRedirectLocation }),
  };
}

/** `a=1&b=2`, as the tagging header wants it. */
export function taggingField(tags: TagSet | undefined) {
  return tags && Object.keys(tags).length > 0 ? { Tagging: new URLSearchParams(tags).toString() } : {};
}

/** What GET and HEAD have in common. */
export interface ObjectOutput extends Checksums {
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly ContentType?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ExpiresString?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly PartsCount?: number | undefined;
  readonly TagCount?: number | undefined;
  readonly StorageClass?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
}

export function objectInfo(key: string, size: number, output: ObjectOutput): ObjectInfo {
  const checksums = checksumsOf(output);
  const system: SystemMetadata = {
    ...(output.ContentType !== undefined && { contentType: output.ContentType }),
    ...(output.ContentEncoding !== undefined &&
      output.ContentEncoding !== '' && { contentEncoding: output.ContentEncoding }),
    ...(output.ContentDisposition !== undefined && { contentDisposition: output.ContentDisposition }),
    ...(output.ContentLanguage !== undefined && { contentLanguage: output.ContentLanguage }),
    ...(output.CacheControl !== undefined && { cacheControl: output.CacheControl }),
    ...(output.ExpiresString !== undefined && { expires: output.ExpiresString }),
    ...(output.WebsiteRedirectLocation !== undefined && { websiteRedirectLocation: output.WebsiteRedirectLocation }),
  };
  return {
    key,
    size,
    etag: unquote(output.ETag),
    lastModified: output.LastModified ?? new Date(0),
    systemMetadata: system,
    userMetadata: Object.fromEntries(
      Object.entries(output.Metadata ?? {}).map(([name, value]) => [name.toLowerCase(), decodeMetadataValue(value)]),
    ),
    ...(checksums.length > 0 && { checksums }),
    ...(output.PartsCount !== undefined && { partsCount: output.PartsCount }),
    ...(output.TagCount !== undefined && { tagCount: output.TagCount }),
    ...(output.StorageClass !== undefined && { storageClass: output.StorageClass }),
    ...(output.VersionId !== undefined && { versionId: output.VersionId }),
    ...(output.ServerSideEncryption !== undefined && {
      extraHeaders: { 'x-amz-server-side-encryption': output.ServerSideEncryption },
    }),
  };
}

/** Headers carry ASCII: other text goes as an encoded word (RFC 2047), which S3 itself understands. */
function encodeMetadataValue(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`;
}

function decodeMetadataValue(value: string): string {
  return value.replace(/=\?UTF-8\?B\?([A-Za-z0-9+/=]+)\?=/gi, (_, base64: string) =>
    Buffer.from(base64, 'base64').toString(),
  );
}

/** The store's names of classes, today's or tomorrow's. */
export function storageClassField(storageClass: string | undefined) {
  return storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass };
}

/** `checksums`, where there is one. */
export function checksumsField(output: Checksums): { readonly checksums?: readonly ObjectChecksum[] } {
  const checksums = checksumsOf(output);
  return checksums.length > 0 ? { checksums } : {};
}

export function writeResult(
  output: Checksums & {
    readonly ETag?: string | undefined;
    readonly VersionId?: string | undefined;
    readonly ServerSideEncryption?: string | undefined;
  },
): WriteResult {
  return {
    etag: unquote(output.ETag),
    ...checksumsField(output),
    ...(output.VersionId !== undefined && { versionId: output.VersionId }),
    ...(output.ServerSideEncryption !== undefined && {
      extraHeaders: { 'x-amz-server-side-encryption': output.ServerSideEncryption },
    }),
  };
}
