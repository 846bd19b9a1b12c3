/**
 * The storage contract that the S3 front serves. Anything that implements `ObjectStore` can stand behind it.
 *
 * Every method takes an `AbortSignal` (the client's connection) and rejects with an {@link S3Error} for anything that a
 * client should hear about; other errors become `InternalError`. All names and keys are decoded Unicode strings, all
 * times are `Date`s with at least one-second precision, all ETags are unquoted.
 */
import type { Readable } from 'node:stream';

/** Checksum algorithms of S3's "flexible checksums", as spelt in `x-amz-checksum-*` and `ChecksumAlgorithm`. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** A checksum of an object's bytes; `value` is base64 (with `-N` appended when composite). */
export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

export interface Bucket {
  readonly name: string;
  readonly creationDate: Date;
}

/** Headers that S3 stores with an object and gives back unchanged. */
export interface SystemMetadata {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  /** Kept as the client wrote it. */
  readonly expires?: string;
  readonly websiteRedirectLocation?: string;
}

/** `x-amz-meta-*` without the prefix, names in lower case. */
export type UserMetadata = Readonly<Record<string, string>>;
export type TagSet = Readonly<Record<string, string>>;

/** What HEAD says of an object. */
export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Unquoted. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly systemMetadata: SystemMetadata;
  readonly userMetadata: UserMetadata;
  readonly checksums?: readonly ObjectChecksum[];
  /** Number of parts of a multipart upload; absent for a plain PUT. */
  readonly partsCount?: number;
  readonly tagCount?: number;
  readonly storageClass?: string;
  readonly versionId?: string;
  readonly deleteMarker?: boolean;
  /** Response headers of the store's own (`x-lbx-*`, `server-timing`, `x-amz-server-side-encryption`), sent as they are. */
  readonly extraHeaders?: Readonly<Record<string, string>>;
}

/** An RFC 9110 section 14.1.2 byte range as asked for; resolve with `resolveByteRange` once the size is known. */
export type ByteRange =
  | { readonly kind: 'from'; readonly first: number; readonly last?: number }
  | { readonly kind: 'suffix'; readonly length: number };

/** A satisfied range: `last` is inclusive. */
export interface ResolvedByteRange {
  readonly first: number;
  readonly last: number;
}

/** Conditional headers of RFC 9110 section 13 on reads and of S3 on writes. ETags unquoted, `*` as itself. */
export interface Conditions {
  readonly ifMatch?: readonly string[];
  readonly ifNoneMatch?: readonly string[];
  readonly ifModifiedSince?: Date;
  readonly ifUnmodifiedSince?: Date;
  /** Of deletes: bytes. */
  readonly ifMatchSize?: number;
  /** Of deletes, to the second. */
  readonly ifMatchLastModified?: Date;
}

/**
 * A representation asked for by the store's own query parameters or `Accept` (`x-lbx-format=latent`, `x-lbx-width=512`):
 * the front passes on every query parameter and header that starts with `x-lbx-`, and `accept`, and knows none of them.
 */
export interface ReadPreferences {
  readonly parameters: Readonly<Record<string, string>>;
  readonly accept?: string;
}

export interface ReadOptions {
  readonly conditions?: Conditions;
  readonly range?: ByteRange;
  readonly partNumber?: number;
  readonly versionId?: string;
  readonly preferences?: ReadPreferences;
  /** Server-side-encryption and requester headers to hand to a backing S3 (`x-amz-server-side-encryption-*`, `x-amz-request-payer`, `x-amz-expected-bucket-owner`). */
  readonly passThroughHeaders?: Readonly<Record<string, string>>;
}

/** Bytes already in memory, or a stream of them that ends or errors; whoever gets a stream must consume or destroy it. */
export type ObjectBody = Uint8Array | Readable;

export interface ObjectContent {
  readonly info: ObjectInfo;
  /** Present when the answer is 206. */
  readonly range?: ResolvedByteRange;
  /** Exactly the range, or the whole object. */
  readonly body: ObjectBody;
}

export interface WriteOptions {
  /** Bytes of the decoded body, where the client said (it may not, with aws-chunked bodies). */
  readonly contentLength?: number;
  readonly systemMetadata: SystemMetadata;
  readonly userMetadata: UserMetadata;
  readonly tags?: TagSet;
  /** Already verified against the body by the front when the body ends (the body errors on mismatch): stored and returned. */
  readonly checksum?: RequestedChecksum;
  /** `ifMatch` / `ifNoneMatch: ['*']`, evaluated atomically with the commit. */
  readonly conditions?: Conditions;
  readonly storageClass?: string;
  readonly passThroughHeaders?: Readonly<Record<string, string>>;
}

/**
 * The checksum that the client chose. `value` settles once the body has been consumed (a trailer comes last), before
 * the body's iterator returns; `undefined` value means that the client named an algorithm and left the computing to S3.
 */
export interface RequestedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  value(): string | undefined;
}

export interface WriteResult {
  readonly etag: string;
  readonly checksums?: readonly ObjectChecksum[];
  readonly versionId?: string;
  readonly extraHeaders?: Readonly<Record<string, string>>;
}

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  /** `x-amz-copy-source-if-*`. */
  readonly conditions?: Conditions;
}

export interface CopyOptions {
  /** Absent: copy the source's (directive COPY). */
  readonly replaceMetadata?: { readonly systemMetadata: SystemMetadata; readonly userMetadata: UserMetadata };
  /** Absent: copy the source's tags. */
  readonly replaceTags?: TagSet;
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly conditions?: Conditions;
  readonly storageClass?: string;
  readonly passThroughHeaders?: Readonly<Record<string, string>>;
}

export interface CopyResult extends WriteResult {
  readonly lastModified: Date;
  readonly sourceVersionId?: string;
}

export interface DeleteOptions {
  readonly versionId?: string;
  /** `ifMatch`, `ifMatchSize` and `ifMatchLastModified` only. Deleting a key that is not there succeeds unless a condition was given. */
  readonly conditions?: Conditions;
}

export interface DeleteResult {
  readonly versionId?: string;
  readonly deleteMarker?: boolean;
}

export interface ListOptions {
  readonly prefix?: string;
  readonly delimiter?: string;
  /** List strictly after this key or common prefix (UTF-8 byte order). */
  readonly startAfter?: string;
  /** Objects and common prefixes together; 0..1000. */
  readonly maxKeys: number;
}

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: Date;
  readonly storageClass?: string;
  readonly checksumAlgorithms?: readonly ChecksumAlgorithm[];
  readonly checksumType?: ChecksumType;
}

export interface ObjectListing {
  /** In UTF-8 byte order. */
  readonly objects: readonly ListedObject[];
  /** In UTF-8 byte order, each ends with the delimiter. */
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** When truncated: what to pass as `startAfter` to go on (the last key or common prefix returned). */
  readonly nextStartAfter?: string;
}

export interface MultipartUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: Date;
  readonly storageClass?: string;
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly checksumType?: ChecksumType;
}

export interface CreateMultipartOptions extends Omit<WriteOptions, 'contentLength' | 'checksum' | 'conditions'> {
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly checksumType?: ChecksumType;
}

export interface UploadPartOptions {
  readonly contentLength?: number;
  readonly checksum?: RequestedChecksum;
  readonly passThroughHeaders?: Readonly<Record<string, string>>;
}

export type UploadPartCopyOptions = Pick<UploadPartOptions, 'passThroughHeaders'>;

export interface PartInfo {
  readonly partNumber: number;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: Date;
  readonly checksums?: readonly ObjectChecksum[];
}

export interface CompletedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly checksums?: readonly Pick<ObjectChecksum, 'algorithm' | 'value'>[];
}

export interface CompleteMultipartOptions {
  /** As the client states it, where it states no value; another than the upload's is InvalidRequest. */
  readonly checksumType?: ChecksumType;
  /** The whole object's checksum as the client states it; a mismatch is BadDigest. */
  readonly checksum?: Pick<ObjectChecksum, 'algorithm' | 'value'> & { readonly type?: ChecksumType };
  readonly mpuObjectSize?: number;
  readonly conditions?: Conditions;
}

export interface ListPartsOptions {
  readonly partNumberMarker?: number;
  readonly maxParts: number;
}

export interface PartListing {
  readonly upload: MultipartUpload;
  readonly parts: readonly PartInfo[];
  readonly isTruncated: boolean;
  readonly nextPartNumberMarker?: number;
}

export interface ListMultipartUploadsOptions {
  readonly prefix?: string;
  readonly delimiter?: string;
  readonly keyMarker?: string;
  readonly uploadIdMarker?: string;
  readonly maxUploads: number;
}

export interface MultipartUploadListing {
  readonly uploads: readonly MultipartUpload[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  readonly nextKeyMarker?: string;
  readonly nextUploadIdMarker?: string;
}

export interface ObjectPart {
  readonly partNumber: number;
  readonly size: number;
  readonly checksums?: readonly ObjectChecksum[];
}

/** Documents that S3 keeps per bucket and gives back (XML, or JSON for `policy`), by sub-resource name. */
export type BucketDocument = 'cors' | 'tagging' | 'lifecycle' | 'policy' | 'versioning' | 'encryption';

export interface ObjectStore {
  listBuckets(signal: AbortSignal): Promise<readonly Bucket[]>;
  /** Rejects with BucketAlreadyOwnedByYou where it exists. */
  createBucket(bucket: string, signal: AbortSignal): Promise<void>;
  /** Rejects with NoSuchBucket. */
  headBucket(bucket: string, signal: AbortSignal): Promise<void>;
  /** Rejects with NoSuchBucket or BucketNotEmpty. */
  deleteBucket(bucket: string, signal: AbortSignal): Promise<void>;

  /** Rejects with NoSuchKey, NoSuchBucket, PreconditionFailed or NotModified. A range is resolved as in `getObject` (`range` of the answer), without the body. */
  headObject(
    bucket: string,
    key: string,
    options: ReadOptions,
    signal: AbortSignal,
  ): Promise<Omit<ObjectContent, 'body'>>;
  /** Rejects as `headObject`, and with InvalidRange. */
  getObject(bucket: string, key: string, options: ReadOptions, signal: AbortSignal): Promise<ObjectContent>;
  /**
   * Stores the body under the key, all or nothing: until it resolves, and after any failure, readers see the object as
   * it was before. The body's stream errors where the upload is truncated or a checksum does not match; the store then
   * leaves nothing behind and rejects with that very error.
   */
  putObject(
    bucket: string,
    key: string,
    body: Readable,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult>;
  deleteObject(bucket: string, key: string, options: DeleteOptions, signal: AbortSignal): Promise<DeleteResult>;
  copyObject(
    source: CopySource,
    bucket: string,
    key: string,
    options: CopyOptions,
    signal: AbortSignal,
  ): Promise<CopyResult>;
  listObjects(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ObjectListing>;
  /** Sizes and checksums of the parts of an object that was uploaded in parts; empty for a plain one. For GetObjectAttributes. */
  listObjectParts(bucket: string, key: string, signal: AbortSignal): Promise<readonly ObjectPart[]>;

  createMultipartUpload(
    bucket: string,
    key: string,
    options: CreateMultipartOptions,
    signal: AbortSignal,
  ): Promise<MultipartUpload>;
  uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: UploadPartOptions,
    signal: AbortSignal,
  ): Promise<PartInfo>;
  uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    options: UploadPartCopyOptions,
    signal: AbortSignal,
  ): Promise<PartInfo>;
  /** Rejects with InvalidPart, InvalidPartOrder, EntityTooSmall, NoSuchUpload, BadDigest or PreconditionFailed; the upload then stays as it was. */
  completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<WriteResult>;
  abortMultipartUpload(bucket: string, key: string, uploadId: string, signal: AbortSignal): Promise<void>;
  listParts(
    bucket: string,
    key: string,
    uploadId: string,
    options: ListPartsOptions,
    signal: AbortSignal,
  ): Promise<PartListing>;
  listMultipartUploads(
    bucket: string,
    options: ListMultipartUploadsOptions,
    signal: AbortSignal,
  ): Promise<MultipartUploadListing>;

  getObjectTags(bucket: string, key: string, signal: AbortSignal): Promise<TagSet>;
  putObjectTags(bucket: string, key: string, tags: TagSet, signal: AbortSignal): Promise<void>;

  /** `undefined` where none is set. Rejects with NotImplemented where the store has no such document. */
  getBucketDocument(bucket: string, document: BucketDocument, signal: AbortSignal): Promise<string | undefined>;
  /** `undefined` removes it. */
  putBucketDocument(
    bucket: string,
    document: BucketDocument,
    content: string | undefined,
    signal: AbortSignal,
  ): Promise<void>;
}
