/** An ObjectStore on any S3 endpoint: each operation is the backing store's own, streamed both ways. */
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type MultipartUpload as SdkUpload,
  type StorageClass,
} from '@aws-sdk/client-s3';
import {
  errors,
  formatRange,
  S3Error,
  type Bucket,
  type BucketDocument,
  type ByteRange,
  type CompletedPart,
  type CompleteMultipartOptions,
  type CopyOptions,
  type CopyResult,
  type CopySource,
  type CreateMultipartOptions,
  type DeleteOptions,
  type DeleteResult,
  type ListMultipartUploadsOptions,
  type ListOptions,
  type ListPartsOptions,
  type MultipartUpload,
  type MultipartUploadListing,
  type ObjectContent,
  type ObjectListing,
  type ObjectPart,
  type ObjectStore,
  type PartInfo,
  type PartListing,
  type ReadOptions,
  type TagSet,
  type UploadPartOptions,
  type WriteOptions,
  type WriteResult,
} from '../../../s3-api/index.js';
import { BackingClient, type BackingClientOptions } from './backing-client.js';
import { BucketNames, type BucketNamesOptions } from './bucket-names.js';
import {
  checksumField,
  checksumsOf,
  conditionFields,
  etagList,
  knownAlgorithms,
  metadataFields,
  objectInfo,
  taggingField,
  unquote,
} from './convert.js';
import { inPieces, MAX_SINGLE_PUT_BYTES, PART_BYTES, partBytes } from './upload-body.js';

export type S3StoreOptions = BackingClientOptions & BucketNamesOptions;

/** Sorts behind every key that starts with a common prefix: a listing that goes on there skips the prefix. */
const AFTER_EVERY_KEY = '\u{10FFFF}';

export class S3Store implements ObjectStore {
  readonly #client: BackingClient;
  readonly #names: BucketNames;

  constructor(options: S3StoreOptions) {
    this.#client = new BackingClient(options);
    this.#names = new BucketNames(options);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async listBuckets(signal: AbortSignal): Promise<readonly Bucket[]> {
    const { Buckets = [] } = await this.#client.send(new ListBucketsCommand({}), { signal });
    return Buckets.flatMap(({ Name = '', CreationDate }) => {
      const name = this.#names.fromBacking(Name);
      return name === undefined ? [] : [{ name, creationDate: CreationDate ?? new Date(0) }];
    });
  }

  async createBucket(bucket: string, signal: AbortSignal): Promise<void> {
    await this.#client.send(new CreateBucketCommand(this.#bucket(bucket)), { signal, bucket });
  }

  async headBucket(bucket: string, signal: AbortSignal): Promise<void> {
    await this.#client.send(new HeadBucketCommand(this.#bucket(bucket)), { signal, bucket });
  }

  async deleteBucket(bucket: string, signal: AbortSignal): Promise<void> {
    await this.#client.send(new DeleteBucketCommand(this.#bucket(bucket)), { signal, bucket });
  }

  async headObject(
    bucket: string,
    key: string,
    options: ReadOptions,
    signal: AbortSignal,
  ): Promise<Omit<ObjectContent, 'body'>> {
    const command = new HeadObjectCommand({
      ...this.#object(bucket, key),
      ...readFields(options),
      ChecksumMode: 'ENABLED',
    });
    const output = await this.#client.send(command, { signal, bucket, key, headers: options.passThroughHeaders });
    return describeRead(key, output.ContentLength ?? 0, output.ContentRange, output);
  }

  async getObject(bucket: string, key: string, options: ReadOptions, signal: AbortSignal): Promise<ObjectContent> {
    const command = new GetObjectCommand({ ...this.#object(bucket, key), ...readFields(options) });
    const output = await this.#client.send(command, { signal, bucket, key, headers: options.passThroughHeaders });
    const described = describeRead(key, output.ContentLength ?? 0, output.ContentRange, output);
    return { ...described, body: output.Body as Readable };
  }

  async putObject(
    bucket: string,
    key: string,
    body: Readable,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { contentLength } = options;
    if (contentLength !== undefined && contentLength > PART_BYTES && contentLength <= MAX_SINGLE_PUT_BYTES) {
      return this.#putSingle(bucket, key, body, contentLength, options, signal);
    }
    const size = partBytes(contentLength);
    const pieces = inPieces(body, size);
    const first = await pieces.next();
    const start = first.done ? new Uint8Array() : first.value;
    if (start.byteLength < size) return this.#putSingle(bucket, key, start, start.byteLength, options, signal);
    return this.#putInParts(bucket, key, start, pieces, options, signal);
  }

  async deleteObject(bucket: string, key: string, options: DeleteOptions, signal: AbortSignal): Promise<DeleteResult> {
    const { versionId, conditions } = options;
    const command = new DeleteObjectCommand({
      ...this.#object(bucket, key),
      ...(versionId !== undefined && { VersionId: versionId }),
      ...(conditions?.ifMatch && { IfMatch: etagList(conditions.ifMatch) }),
    });
    const output = await this.#client.send(command, { signal, bucket, key });
    return {
      ...(output.VersionId !== undefined && { versionId: output.VersionId }),
      ...(output.DeleteMarker !== undefined && { deleteMarker: output.DeleteMarker }),
    };
  }

  async copyObject(
    source: CopySource,
    bucket: string,
    key: string,
    options: CopyOptions,
    signal: AbortSignal,
  ): Promise<CopyResult> {
    const { replaceMetadata, replaceTags, checksumAlgorithm, storageClass, conditions, passThroughHeaders } = options;
    const command = new CopyObjectCommand({
      ...this.#object(bucket, key),
      ...this.#copySource(source),
      ...(replaceMetadata && {
        ...metadataFields(replaceMetadata.systemMetadata, replaceMetadata.userMetadata),
        MetadataDirective: 'REPLACE' as const,
      }),
      ...(replaceTags && { TaggingDirective: 'REPLACE' as const, ...taggingField(replaceTags) }),
      ...(checksumAlgorithm && { ChecksumAlgorithm: checksumAlgorithm }),
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...conditionFields(conditions),
    });
    const output = await this.#client.send(command, {
      signal,
      bucket,
      key,
      headers: passThroughHeaders,
      unbounded: true,
    });
    const copied = output.CopyObjectResult ?? {};
    return {
      etag: unquote(copied.ETag),
      lastModified: copied.LastModified ?? new Date(),
      checksums: checksumsOf(copied),
      ...(output.VersionId !== undefined && { versionId: output.VersionId }),
      ...(output.CopySourceVersionId !== undefined && { sourceVersionId: output.CopySourceVersionId }),
    };
  }

  async listObjects(
    bucket: string,
    { prefix, delimiter, startAfter, maxKeys }: ListOptions,
    signal: AbortSignal,
  ): Promise<ObjectListing> {
    const command = new ListObjectsV2Command({
      ...this.#bucket(bucket),
      MaxKeys: maxKeys,
      EncodingType: 'url',
      ...(prefix !== undefined && prefix !== '' && { Prefix: prefix }),
      ...(delimiter !== undefined && delimiter !== '' && { Delimiter: delimiter }),
      ...(startAfter !== undefined && startAfter !== '' && { StartAfter: skipPrefix(startAfter, delimiter) }),
    });
    const output = await this.#client.send(command, { signal, bucket });
    const decode = output.EncodingType === 'url' ? decodeListed : (text: string) => text;
    const objects = (output.Contents ?? []).map(
      ({ Key = '', Size = 0, ETag, LastModified, StorageClass, ChecksumAlgorithm, ChecksumType }) => ({
        key: decode(Key),
        size: Size,
        etag: unquote(ETag),
        lastModified: LastModified ?? new Date(0),
        ...(StorageClass !== undefined && { storageClass: StorageClass }),
        ...(ChecksumAlgorithm && { checksumAlgorithms: knownAlgorithms(ChecksumAlgorithm) }),
        ...(ChecksumType && { checksumType: ChecksumType }),
      }),
    );
    const commonPrefixes = (output.CommonPrefixes ?? []).map(({ Prefix = '' }) => decode(Prefix));
    const isTruncated = output.IsTruncated ?? false;
    const last = [objects.at(-1)?.key, commonPrefixes.at(-1)]
      .filter((name) => name !== undefined)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .at(-1);
    return { objects, commonPrefixes, isTruncated, ...(isTruncated && last !== undefined && { nextStartAfter: last }) };
  }

  async listObjectParts(bucket: string, key: string, signal: AbortSignal): Promise<readonly ObjectPart[]> {
    const parts: ObjectPart[] = [];
    let marker: string | undefined;
    do {
      const command = new GetObjectAttributesCommand({
        ...this.#object(bucket, key),
        ObjectAttributes: ['ObjectParts'],
        ...(marker !== undefined && { PartNumberMarker: marker }),
      });
      const { ObjectParts } = await this.#client.send(command, { signal, bucket, key });
      for (const part of ObjectParts?.Parts ?? []) {
        parts.push({ partNumber: part.PartNumber ?? 0, size: part.Size ?? 0, checksums: checksumsOf(part) });
      }
      marker = ObjectParts?.IsTruncated ? ObjectParts.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts;
  }

  async createMultipartUpload(
    bucket: string,
    key: string,
    options: CreateMultipartOptions,
    signal: AbortSignal,
  ): Promise<MultipartUpload> {
    const { systemMetadata, userMetadata, tags, storageClass, checksumAlgorithm, checksumType, passThroughHeaders } =
      options;
    const command = new CreateMultipartUploadCommand({
      ...this.#object(bucket, key),
      ...metadataFields(systemMetadata, userMetadata),
      ...taggingField(tags),
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...(checksumAlgorithm && { ChecksumAlgorithm: checksumAlgorithm }),
      ...(checksumType && { ChecksumType: checksumType }),
    });
    const { UploadId = '' } = await this.#client.send(command, { signal, bucket, key, headers: passThroughHeaders });
    return {
      key,
      uploadId: UploadId,
      initiated: new Date(),
      ...(storageClass !== undefined && { storageClass }),
      ...(checksumAlgorithm && { checksumAlgorithm }),
      ...(checksumType && { checksumType }),
    };
  }

  async uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: UploadPartOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    const { contentLength, checksum, passThroughHeaders } = options;
    if (contentLength === undefined) {
      body.destroy();
      throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
    }
    const command = new UploadPartCommand({
      ...this.#part(bucket, key, uploadId, partNumber),
      ContentLength: contentLength,
      Body: await replayable(body, contentLength),
      ...(checksum && { ChecksumAlgorithm: checksum.algorithm }),
    });
    const output = await this.#sendBody(body, () =>
      this.#client.send(command, { signal, bucket, key, headers: passThroughHeaders, unbounded: true }),
    );
    return {
      partNumber,
      size: contentLength,
      etag: unquote(output.ETag),
      lastModified: new Date(),
      checksums: checksumsOf(output),
    };
  }

  async uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    const command = new UploadPartCopyCommand({
      ...this.#part(bucket, key, uploadId, partNumber),
      ...this.#copySource(source),
      ...(source.range && { CopySourceRange: formatRange(source.range) }),
    });
    const { CopyPartResult = {} } = await this.#client.send(command, { signal, bucket, key, unbounded: true });
    const { range } = source;
    const size = range?.kind === 'from' && range.last !== undefined ? range.last - range.first + 1 : 0;
    return {
      partNumber,
      size,
      etag: unquote(CopyPartResult.ETag),
      lastModified: CopyPartResult.LastModified ?? new Date(),
      checksums: checksumsOf(CopyPartResult),
    };
  }

  async completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { checksum, mpuObjectSize, conditions } = options;
    const command = new CompleteMultipartUploadCommand({
      ...this.#object(bucket, key),
      UploadId: uploadId,
      MultipartUpload: {
        Parts: parts.map(({ partNumber, etag, checksums = [] }) => ({
          PartNumber: partNumber,
          ETag: `"${etag}"`,
          ...Object.assign({}, ...checksums.map((value) => checksumField(value))),
        })),
      },
      ...checksumField(checksum),
      ...(checksum?.type && { ChecksumType: checksum.type }),
      ...(mpuObjectSize !== undefined && { MpuObjectSize: mpuObjectSize }),
      ...conditionFields(conditions),
    });
    return writeResult(await this.#client.send(command, { signal, bucket, key, unbounded: true }));
  }

  async abortMultipartUpload(bucket: string, key: string, uploadId: string, signal: AbortSignal): Promise<void> {
    await this.#client.send(new AbortMultipartUploadCommand({ ...this.#object(bucket, key), UploadId: uploadId }), {
      signal,
      bucket,
      key,
    });
  }

  async listParts(
    bucket: string,
    key: string,
    uploadId: string,
    { partNumberMarker, maxParts }: ListPartsOptions,
    signal: AbortSignal,
  ): Promise<PartListing> {
    const command = new ListPartsCommand({
      ...this.#object(bucket, key),
      UploadId: uploadId,
      MaxParts: maxParts,
      ...(partNumberMarker !== undefined && { PartNumberMarker: String(partNumberMarker) }),
    });
    const output = await this.#client.send(command, { signal, bucket, key });
    const parts = (output.Parts ?? []).map((part) => ({
      partNumber: part.PartNumber ?? 0,
      size: part.Size ?? 0,
      etag: unquote(part.ETag),
      lastModified: part.LastModified ?? new Date(0),
      checksums: checksumsOf(part),
    }));
    const next = Number(output.NextPartNumberMarker);
    return {
      upload: {
        key,
        uploadId,
        initiated: new Date(0),
        ...(output.StorageClass !== undefined && { storageClass: output.StorageClass }),
        ...algorithmField(output.ChecksumAlgorithm),
        ...(output.ChecksumType && { checksumType: output.ChecksumType }),
      },
      parts,
      isTruncated: output.IsTruncated ?? false,
      ...(next > 0 && { nextPartNumberMarker: next }),
    };
  }

  async listMultipartUploads(
    bucket: string,
    options: ListMultipartUploadsOptions,
    signal: AbortSignal,
  ): Promise<MultipartUploadListing> {
    const { prefix, delimiter, keyMarker, uploadIdMarker, maxUploads } = options;
    const command = new ListMultipartUploadsCommand({
      ...this.#bucket(bucket),
      MaxUploads: maxUploads,
      ...(prefix !== undefined && { Prefix: prefix }),
      ...(delimiter !== undefined && { Delimiter: delimiter }),
      ...(keyMarker !== undefined && { KeyMarker: keyMarker }),
      ...(uploadIdMarker !== undefined && { UploadIdMarker: uploadIdMarker }),
    });
    const output = await this.#client.send(command, { signal, bucket });
    return {
      uploads: (output.Uploads ?? []).map(toUpload),
      commonPrefixes: (output.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? []),
      isTruncated: output.IsTruncated ?? false,
      ...(output.NextKeyMarker !== undefined && { nextKeyMarker: output.NextKeyMarker }),
      ...(output.NextUploadIdMarker !== undefined && { nextUploadIdMarker: output.NextUploadIdMarker }),
    };
  }

  async getObjectTags(bucket: string, key: string, signal: AbortSignal): Promise<TagSet> {
    const { TagSet: tags = [] } = await this.#client.send(new GetObjectTaggingCommand(this.#object(bucket, key)), {
      signal,
      bucket,
      key,
    });
    return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  async putObjectTags(bucket: string, key: string, tags: TagSet, signal: AbortSignal): Promise<void> {
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.#client.send(new PutObjectTaggingCommand({ ...this.#object(bucket, key), Tagging: { TagSet } }), {
      signal,
      bucket,
      key,
    });
  }

  async getBucketDocument(bucket: string, _document: BucketDocument, signal: AbortSignal): Promise<string | undefined> {
    await this.headBucket(bucket, signal);
    return undefined;
  }

  async putBucketDocument(_bucket: string, document: BucketDocument): Promise<void> {
    throw errors.notImplemented(`the ${document} configuration of a bucket behind an S3 store`);
  }

  async #putSingle(
    bucket: string,
    key: string,
    body: Readable | Uint8Array,
    length: number,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const command = new PutObjectCommand({
      ...this.#object(bucket, key),
      ...metadataFields(options.systemMetadata, options.userMetadata),
      ...taggingField(options.tags),
      ...conditionFields(options.conditions),
      ...(options.storageClass !== undefined && { StorageClass: options.storageClass as StorageClass }),
      ...(options.checksum && { ChecksumAlgorithm: options.checksum.algorithm }),
      ContentLength: length,
      Body: body,
    });
    const send = () =>
      this.#client.send(command, { signal, bucket, key, headers: options.passThroughHeaders, unbounded: true });
    return writeResult(await (body instanceof Uint8Array ? send() : this.#sendBody(body, send)));
  }

  /** An upload of unknown or very large size: one part in memory at a time, nothing visible before the end. */
  async #putInParts(
    bucket: string,
    key: string,
    first: Uint8Array,
    rest: AsyncGenerator<Uint8Array>,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { conditions, checksum, ...create } = options;
    const { uploadId } = await this.createMultipartUpload(
      bucket,
      key,
      { ...create, ...(checksum && { checksumAlgorithm: checksum.algorithm }) },
      signal,
    );
    try {
      const parts: CompletedPart[] = [];
      for (let piece: Uint8Array = first; ;) {
        if (piece.byteLength > 0 || parts.length === 0)
          parts.push(await this.#uploadPiece(bucket, key, uploadId, parts.length + 1, piece, options, signal));
        const next = await rest.next();
        if (next.done) break;
        piece = next.value;
      }
      return await this.completeMultipartUpload(
        bucket,
        key,
        uploadId,
        parts,
        { ...(conditions && { conditions }) },
        signal,
      );
    } catch (error) {
      await this.abortMultipartUpload(bucket, key, uploadId, AbortSignal.timeout(ABORT_TIMEOUT_MS)).catch(
        () => undefined,
      );
      throw error;
    }
  }

  async #uploadPiece(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    piece: Uint8Array,
    { checksum }: WriteOptions,
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const command = new UploadPartCommand({
      ...this.#part(bucket, key, uploadId, partNumber),
      Body: piece,
      ContentLength: piece.byteLength,
      ...(checksum && { ChecksumAlgorithm: checksum.algorithm }),
    });
    const output = await this.#client.send(command, { signal, bucket, key, unbounded: true });
    return { partNumber, etag: unquote(output.ETag), checksums: checksumsOf(output) };
  }

  /** The body's own error tells the client more than the broken request that follows from it. */
  async #sendBody<T>(body: Readable, send: () => Promise<T>): Promise<T> {
    let fault: Error | undefined;
    const onError = (error: Error) => (fault = error);
    body.once('error', onError);
    try {
      return await send();
    } catch (error) {
      body.destroy();
      throw fault ?? error;
    } finally {
      body.off('error', onError);
    }
  }

  #bucket(bucket: string) {
    return { Bucket: this.#names.toBacking(bucket) };
  }
  #object(bucket: string, key: string) {
    return { ...this.#bucket(bucket), Key: key };
  }
  #part(bucket: string, key: string, uploadId: string, partNumber: number) {
    return { ...this.#object(bucket, key), UploadId: uploadId, PartNumber: partNumber };
  }

  #copySource({ bucket, key, versionId, conditions = {} }: CopySource) {
    const path = `${this.#names.toBacking(bucket)}/${key}`.split('/').map(encodeURIComponent).join('/');
    const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
    return {
      CopySource: versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`,
      ...(ifMatch && { CopySourceIfMatch: etagList(ifMatch) }),
      ...(ifNoneMatch && { CopySourceIfNoneMatch: etagList(ifNoneMatch) }),
      ...(ifModifiedSince && { CopySourceIfModifiedSince: ifModifiedSince }),
      ...(ifUnmodifiedSince && { CopySourceIfUnmodifiedSince: ifUnmodifiedSince }),
    };
  }
}

const ABORT_TIMEOUT_MS = 10_000;

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
  if (!range) return { info: objectInfo(key, length, output) };
  return { info: objectInfo(key, range.size, output), range: { first: range.first, last: range.last } };
}

/** `bytes 0-99/1000`. */
function parseContentRange(header: string): { first: number; last: number; size: number } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header);
  return match ? { first: Number(match[1]), last: Number(match[2]), size: Number(match[3]) } : undefined;
}

function writeResult(
  output: {
    ETag?: string | undefined;
    VersionId?: string | undefined;
    ServerSideEncryption?: string | undefined;
  } & Parameters<typeof checksumsOf>[0],
): WriteResult {
  return {
    etag: unquote(output.ETag),
    checksums: checksumsOf(output),
    ...(output.VersionId !== undefined && { versionId: output.VersionId }),
    ...(output.ServerSideEncryption !== undefined && {
      extraHeaders: { 'x-amz-server-side-encryption': output.ServerSideEncryption },
    }),
  };
}

/** A part small enough to be held is sent again after a fault; a larger one streams, once. */
async function replayable(body: Readable, length: number): Promise<Readable | Uint8Array> {
  if (length > PART_BYTES) return body;
  const pieces: Uint8Array[] = [];
  for await (const piece of inPieces(body, PART_BYTES)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Where the last page ended with a common prefix, the next goes on behind all of its keys. */
function skipPrefix(startAfter: string, delimiter: string | undefined): string {
  return delimiter !== undefined && delimiter !== '' && startAfter.endsWith(delimiter)
    ? startAfter + AFTER_EVERY_KEY
    : startAfter;
}

/** S3 writes a space as `+` in listings of `encoding-type=url`. */
function decodeListed(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function toUpload({
  Key = '',
  UploadId = '',
  Initiated,
  StorageClass,
  ChecksumAlgorithm,
  ChecksumType,
}: SdkUpload): MultipartUpload {
  return {
    key: Key,
    uploadId: UploadId,
    initiated: Initiated ?? new Date(0),
    ...(StorageClass !== undefined && { storageClass: StorageClass }),
    ...algorithmField(ChecksumAlgorithm),
    ...(ChecksumType && { checksumType: ChecksumType }),
  };
}

function algorithmField(name: string | undefined) {
  const [checksumAlgorithm] = knownAlgorithms(name === undefined ? [] : [name]);
  return checksumAlgorithm ? { checksumAlgorithm } : {};
}
