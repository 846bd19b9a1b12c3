/**
 * The embedded object store: a bucket is a folder of plain files, an object's file holds exactly its bytes, and the
 * metadata lies in an ordered index in `.latentbox/` beside the buckets. See `object-commits.ts` for what makes the two
 * change together.
 */
import type { Readable } from 'node:stream';
import { resolveCopyRange } from '../../../s3-api/byte-range.js';
import {
  evaluateCopySourceConditions,
  evaluateDeleteConditions,
  evaluateReadConditions,
  evaluateWriteConditions,
} from '../../../s3-api/conditions.js';
import { collectListPage, type ListPosition } from '../../../s3-api/list-page.js';
import type {
  Bucket,
  BucketDocument,
  ByteRange,
  CompletedPart,
  CompleteMultipartOptions,
  CopyOptions,
  CopyResult,
  CopySource,
  DeleteOptions,
  DeleteResult,
  ListMultipartUploadsOptions,
  ListOptions,
  ListPartsOptions,
  MultipartUpload,
  MultipartUploadListing,
  ObjectContent,
  ObjectListing,
  ObjectPart,
  PartInfo,
  PartListing,
  ReadOptions,
  TagSet,
  UploadPartCopyOptions,
  UploadPartOptions,
  WriteResult,
} from '../../../s3-api/object-store.js';
import type { BackingStore, BackingUploadOptions, BackingWriteOptions, OpenedUpload } from '../backing-store.js';
import { checksumOfWhole, selectParts } from '../complete-upload.js';
import { completedFacts } from './complete-upload.js';
import { copyObject } from './copy-object.js';
import { listUploads } from './list-uploads.js';
import { listedObject, objectInfo, refuseEncryptionHeaders, refuseVersion, requestedRange } from './object-info.js';
import { readBody, readBodyStream } from './object-reader.js';
import type { ObjectVersion } from './records.js';
import { stageBody } from './stage-body.js';
import { closeParts, openParts, type StoreParts } from './store-parts.js';

export class FilesystemStore implements BackingStore {
  private opened: StoreParts | undefined;

  /**
   * @param directory - Holds a folder per bucket; made where it is not there. Its file system must keep modification
   * times finer than a millisecond, as ext4, xfs, btrfs, zfs and apfs do.
   */
  constructor(private readonly directory: string) {}

  /** Opens the index and tidies up what a crash left. Before it, every operation fails. */
  async start(): Promise<void> {
    this.opened ??= await openParts(this.directory);
  }

  /** Waits for commits under way and releases the index; every later operation fails. */
  async close(): Promise<void> {
    const parts = this.opened;
    this.opened = undefined;
    if (parts !== undefined) await closeParts(parts);
  }

  private get parts(): StoreParts {
    if (this.opened === undefined) throw new Error('the filesystem store is not started');
    return this.opened;
  }

  async listBuckets(): Promise<readonly Bucket[]> {
    return this.parts.buckets.list();
  }

  createBucket(bucket: string): Promise<void> {
    return this.parts.buckets.create(bucket);
  }

  async headBucket(bucket: string): Promise<void> {
    this.parts.buckets.require(bucket);
  }

  async deleteBucket(bucket: string): Promise<void> {
    await this.parts.buckets.delete(bucket);
    await this.parts.catalogue.dropBucket(bucket);
  }

  async headObject(bucket: string, key: string, options: ReadOptions): Promise<Omit<ObjectContent, 'body'>> {
    refuseVersion(key, options.versionId);
    const version = await this.parts.reader.head(bucket, key);
    return answer(key, version, options);
  }

  async getObject(bucket: string, key: string, options: ReadOptions, signal: AbortSignal): Promise<ObjectContent> {
    refuseVersion(key, options.versionId);
    const opened = await this.parts.reader.open(bucket, key);
    try {
      const head = answer(key, opened.version, options);
      return { ...head, body: await readBody(opened, head.range, signal) };
    } catch (error) {
      await opened.handle.close();
      throw error;
    }
  }

  async putObject(
    bucket: string,
    key: string,
    body: Readable,
    options: BackingWriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { endsUpload } = options;
    if (endsUpload === undefined) return writeResult(await this.#put(bucket, key, body, options, signal));
    return this.parts.catalogue.exclusively(endsUpload, async () => {
      this.parts.catalogue.require(bucket, key, endsUpload);
      const version = await this.#put(bucket, key, body, options, signal);
      await this.parts.catalogue.drop(bucket, key, endsUpload);
      return writeResult(version);
    });
  }

  async #put(
    bucket: string,
    key: string,
    body: Readable,
    options: BackingWriteOptions,
    signal: AbortSignal,
  ): Promise<ObjectVersion> {
    try {
      refuseEncryptionHeaders(options.passThroughHeaders);
      this.parts.buckets.require(bucket);
      const { contentLength, checksum = 'CRC64NVME', systemMetadata, userMetadata, tags, storageClass } = options;
      const staged = await stageBody(
        body,
        { checksum, ...(contentLength !== undefined && { contentLength }) },
        this.parts.staging,
        this.parts.stamps,
        signal,
      );
      const facts = {
        etag: staged.md5,
        systemMetadata,
        userMetadata,
        checksums: [staged.checksum],
        ...(tags !== undefined && { tags }),
        ...(storageClass !== undefined && { storageClass }),
        ...(options.endsUpload !== undefined && { uploadId: options.endsUpload }),
      };
      return await this.parts.commits.publish(bucket, key, staged, facts, options.conditions);
    } catch (error) {
      body.destroy();
      throw error;
    }
  }

  async deleteObject(bucket: string, key: string, options: DeleteOptions): Promise<DeleteResult> {
    this.parts.buckets.require(bucket);
    refuseVersion(key, options.versionId);
    await this.parts.commits.remove(bucket, key, (current) =>
      evaluateDeleteConditions(
        options.conditions,
        key,
        current && { etag: current.etag, size: current.size, lastModified: new Date(current.lastModified) },
      ),
    );
    return {};
  }

  copyObject(
    source: CopySource,
    bucket: string,
    key: string,
    options: CopyOptions,
    signal: AbortSignal,
  ): Promise<CopyResult> {
    return copyObject(this.parts, source, bucket, key, options, signal);
  }

  async listObjects(bucket: string, options: ListOptions): Promise<ObjectListing> {
    this.parts.buckets.require(bucket);
    const { objects, ...page } = await collectListPage(
      (prefix, position) => this.scanCurrent(bucket, prefix, position),
      options,
    );
    return { ...page, objects: objects.map(({ key, version }) => listedObject(key, version)) };
  }

  private async *scanCurrent(bucket: string, ...where: [prefix: string, position: ListPosition | undefined]) {
    for await (const { key, record } of this.parts.index.scanObjects(bucket, ...where)) {
      const version = await this.parts.commits.resolve(bucket, record);
      if (version !== undefined) yield { key, version };
    }
  }

  async listObjectParts(bucket: string, key: string): Promise<readonly ObjectPart[]> {
    return (await this.parts.reader.head(bucket, key)).parts ?? [];
  }

  async createMultipartUpload(bucket: string, key: string, options: BackingUploadOptions): Promise<MultipartUpload> {
    refuseEncryptionHeaders(options.passThroughHeaders);
    return this.parts.uploads.create(bucket, key, options);
  }

  uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: UploadPartOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    return this.parts.uploads.uploadPart(bucket, key, uploadId, partNumber, body, options, signal);
  }

  async uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    options: UploadPartCopyOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    refuseEncryptionHeaders(options.passThroughHeaders);
    const { checksumAlgorithm: algorithm } = this.parts.catalogue.require(bucket, key, uploadId);
    const own = algorithm && { checksum: { algorithm, value: () => undefined } };
    refuseVersion(source.key, source.versionId);
    const opened = await this.parts.reader.open(source.bucket, source.key);
    try {
      const { etag, lastModified, size } = opened.version;
      evaluateCopySourceConditions(source.conditions, { etag, lastModified: new Date(lastModified) });
      const range = source.range === undefined ? undefined : resolveCopyRange(source.range, size);
      const body = await readBodyStream(opened, range, signal);
      return await this.parts.uploads.uploadPart(bucket, key, uploadId, partNumber, body, { ...own }, signal);
    } finally {
      await opened.handle.close();
    }
  }

  completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.parts.catalogue.exclusively(uploadId, async () => {
      const current = await this.parts.commits.current(bucket, key);
      const upload = this.parts.catalogue.find(bucket, key, uploadId);
      // A client that lost the answer asks again, and S3 answers it again.
      if (upload === undefined && current?.uploadId === uploadId) return writeResult(current);
      const record = upload ?? this.parts.catalogue.require(bucket, key, uploadId);
      const selected = selectParts(record, this.parts.catalogue.parts(uploadId), parts, options);
      const facts = completedFacts(record, selected, options);
      evaluateWriteConditions(options.conditions, key, current);
      const joined = await this.parts.uploads.join(uploadId, selected, signal);
      const version = await this.parts.commits.publish(bucket, key, joined, facts, options.conditions);
      await this.parts.catalogue.drop(bucket, key, uploadId);
      return writeResult(version);
    });
  }

  async openUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
  ): Promise<OpenedUpload> {
    const upload = this.parts.catalogue.require(bucket, key, uploadId);
    const selected = selectParts(upload, this.parts.catalogue.parts(uploadId), parts, options);
    checksumOfWhole(upload, selected, options.checksum);
    return this.parts.uploads.opened(upload, selected);
  }

  abortMultipartUpload(bucket: string, key: string, uploadId: string): Promise<void> {
    return this.parts.uploads.abort(bucket, key, uploadId);
  }

  async listParts(bucket: string, key: string, uploadId: string, options: ListPartsOptions): Promise<PartListing> {
    return this.parts.uploads.listParts(bucket, key, uploadId, options);
  }

  async listMultipartUploads(bucket: string, options: ListMultipartUploadsOptions): Promise<MultipartUploadListing> {
    this.parts.buckets.require(bucket);
    return listUploads(this.parts.index, bucket, options);
  }

  async getObjectTags(bucket: string, key: string): Promise<TagSet> {
    return (await this.parts.reader.head(bucket, key)).tags ?? {};
  }

  async putObjectTags(bucket: string, key: string, tags: TagSet): Promise<void> {
    this.parts.buckets.require(bucket);
    await this.parts.commits.amend(bucket, key, (current) => ({ ...current, tags }));
  }

  async getBucketDocument(bucket: string, document: BucketDocument): Promise<string | undefined> {
    return this.parts.buckets.getDocument(bucket, document);
  }

  putBucketDocument(bucket: string, document: BucketDocument, content: string | undefined): Promise<void> {
    return this.parts.buckets.putDocument(bucket, document, content);
  }
}

function answer(key: string, version: ObjectVersion, options: ReadOptions): Omit<ObjectContent, 'body'> {
  const info = objectInfo(key, version);
  evaluateReadConditions(options.conditions, info);
  const range = requestedRange(options, version);
  return range === undefined ? { info } : { info, range };
}

function writeResult({ etag, checksums }: ObjectVersion): WriteResult {
  return { etag, ...(checksums !== undefined && { checksums }) };
}
