/** An ObjectStore on any S3 endpoint: each operation is the backing store's own, streamed both ways. */
import type { Readable } from 'node:stream';
import { CreateBucketCommand, DeleteBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import type {
  BucketDocument,
  ByteRange,
  CompletedPart,
  CompleteMultipartOptions,
  CopyOptions,
  CopySource,
  DeleteOptions,
  ListMultipartUploadsOptions,
  ListOptions,
  ListPartsOptions,
  ReadOptions,
  TagSet,
} from '../../../s3-api/object-store.js';
import { S3Error } from '../../../s3-api/errors.js';
import type {
  BackingPartCopyOptions,
  BackingPartOptions,
  BackingStore,
  BackingUploadOptions,
  BackingWriteOptions,
} from '../backing-store.js';
import { BackingClient, type BackingClientOptions } from './backing-client.js';
import { Backing } from './backing.js';
import { getBucketDocument, putBucketDocument } from './bucket-documents.js';
import { BucketNames, type BucketNamesOptions } from './bucket-names.js';
import { listBuckets, listObjects } from './list-objects.js';
import * as multipart from './multipart.js';
import { getObject, getObjectTags, headObject, listObjectParts } from './read-objects.js';
import { Uploads } from './uploads/uploads.js';
import { copyObject, deleteObject, putObject, putObjectTags } from './write-objects.js';

export type S3StoreOptions = BackingClientOptions & BucketNamesOptions;

export class S3Store implements BackingStore {
  readonly #backing: Backing;
  readonly #uploads: Uploads;

  constructor(options: S3StoreOptions) {
    this.#backing = new Backing(new BackingClient(options), new BucketNames(options));
    this.#uploads = new Uploads(this.#backing);
  }

  /** Gives the sockets back. */
  async close(): Promise<void> {
    this.#backing.client.close();
  }

  listBuckets(signal: AbortSignal) {
    return listBuckets(this.#backing, signal);
  }

  async createBucket(bucket: string, signal: AbortSignal): Promise<void> {
    await this.#backing.client.send(new CreateBucketCommand(this.#backing.bucket(bucket)), { signal, bucket });
  }

  async headBucket(bucket: string, signal: AbortSignal): Promise<void> {
    await this.#backing.client.send(new HeadBucketCommand(this.#backing.bucket(bucket)), { signal, bucket });
  }

  async deleteBucket(bucket: string, signal: AbortSignal): Promise<void> {
    const command = () => new DeleteBucketCommand(this.#backing.bucket(bucket));
    try {
      await this.#backing.client.send(command(), { signal, bucket });
    } catch (error) {
      const leftovers = error instanceof S3Error && error.code === 'BucketNotEmpty';
      if (!leftovers || !(await this.#uploads.clearBucket(bucket, signal))) throw error;
      await this.#backing.client.send(command(), { signal, bucket });
    }
  }

  headObject(bucket: string, key: string, options: ReadOptions, signal: AbortSignal) {
    return headObject(this.#backing, bucket, key, options, signal);
  }

  getObject(bucket: string, key: string, options: ReadOptions, signal: AbortSignal) {
    return getObject(this.#backing, bucket, key, options, signal);
  }

  async putObject(bucket: string, key: string, body: Readable, options: BackingWriteOptions, signal: AbortSignal) {
    const { endsUpload, ...plain } = options;
    const result = await putObject(this.#backing, bucket, key, body, plain, signal);
    if (endsUpload !== undefined) await this.#uploads.end(bucket, key, endsUpload);
    return result;
  }

  deleteObject(bucket: string, key: string, options: DeleteOptions, signal: AbortSignal) {
    return deleteObject(this.#backing, bucket, key, options, signal);
  }

  copyObject(source: CopySource, bucket: string, key: string, options: CopyOptions, signal: AbortSignal) {
    return copyObject(this.#backing, source, bucket, key, options, signal);
  }

  listObjects(bucket: string, options: ListOptions, signal: AbortSignal) {
    return listObjects(this.#backing, bucket, options, signal);
  }

  listObjectParts(bucket: string, key: string, signal: AbortSignal) {
    return listObjectParts(this.#backing, bucket, key, signal);
  }

  createMultipartUpload(bucket: string, key: string, options: BackingUploadOptions, signal: AbortSignal) {
    return this.#uploads.create(bucket, key, options, signal);
  }

  uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: BackingPartOptions,
    signal: AbortSignal,
  ) {
    return this.#uploads.uploadPart(bucket, key, uploadId, partNumber, body, options, signal);
  }

  uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    options: BackingPartCopyOptions,
    signal: AbortSignal,
  ) {
    return this.#uploads.uploadPartCopy(source, bucket, key, uploadId, partNumber, options, signal);
  }

  openUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ) {
    return this.#uploads.open(bucket, key, uploadId, parts, options, signal);
  }

  completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ) {
    return this.#uploads.complete(bucket, key, uploadId, parts, options, signal);
  }

  abortMultipartUpload(bucket: string, key: string, uploadId: string, signal: AbortSignal) {
    return this.#uploads.abort(bucket, key, uploadId, signal);
  }

  listParts(bucket: string, key: string, uploadId: string, options: ListPartsOptions, signal: AbortSignal) {
    return this.#uploads.listParts(bucket, key, uploadId, options, signal);
  }

  listMultipartUploads(bucket: string, options: ListMultipartUploadsOptions, signal: AbortSignal) {
    return multipart.listMultipartUploads(this.#backing, bucket, options, signal);
  }

  getObjectTags(bucket: string, key: string, signal: AbortSignal) {
    return getObjectTags(this.#backing, bucket, key, signal);
  }

  putObjectTags(bucket: string, key: string, tags: TagSet, signal: AbortSignal) {
    return putObjectTags(this.#backing, bucket, key, tags, signal);
  }

  getBucketDocument(bucket: string, document: BucketDocument, signal: AbortSignal) {
    return getBucketDocument(this.#backing, bucket, document, signal);
  }

  putBucketDocument(bucket: string, document: BucketDocument, content: string | undefined, signal: AbortSignal) {
    return putBucketDocument(this.#backing, bucket, document, content, signal);
  }
}
