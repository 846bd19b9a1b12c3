/** An ObjectStore that hands everything to another: the base of stores that change a few operations. */
import type { Readable } from 'node:stream';
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
  ObjectStore,
  ReadOptions,
  TagSet,
} from '../../s3-api/index.js';
import type {
  BackingPartCopyOptions,
  BackingPartOptions,
  BackingStore,
  BackingUploadOptions,
  BackingWriteOptions,
} from '../stores/backing-store.js';

export class PassThroughStore implements ObjectStore {
  constructor(protected readonly backing: BackingStore) {}

  listBuckets(signal: AbortSignal) {
    return this.backing.listBuckets(signal);
  }
  createBucket(bucket: string, signal: AbortSignal) {
    return this.backing.createBucket(bucket, signal);
  }
  headBucket(bucket: string, signal: AbortSignal) {
    return this.backing.headBucket(bucket, signal);
  }
  deleteBucket(bucket: string, signal: AbortSignal) {
    return this.backing.deleteBucket(bucket, signal);
  }
  headObject(bucket: string, key: string, options: ReadOptions, signal: AbortSignal) {
    return this.backing.headObject(bucket, key, options, signal);
  }
  getObject(bucket: string, key: string, options: ReadOptions, signal: AbortSignal) {
    return this.backing.getObject(bucket, key, options, signal);
  }
  putObject(bucket: string, key: string, body: Readable, options: BackingWriteOptions, signal: AbortSignal) {
    return this.backing.putObject(bucket, key, body, options, signal);
  }
  deleteObject(bucket: string, key: string, options: DeleteOptions, signal: AbortSignal) {
    return this.backing.deleteObject(bucket, key, options, signal);
  }
  copyObject(source: CopySource, bucket: string, key: string, options: CopyOptions, signal: AbortSignal) {
    return this.backing.copyObject(source, bucket, key, options, signal);
  }
  listObjects(bucket: string, options: ListOptions, signal: AbortSignal) {
    return this.backing.listObjects(bucket, options, signal);
  }
  listObjectParts(bucket: string, key: string, signal: AbortSignal) {
    return this.backing.listObjectParts(bucket, key, signal);
  }
  createMultipartUpload(bucket: string, key: string, options: BackingUploadOptions, signal: AbortSignal) {
    return this.backing.createMultipartUpload(bucket, key, options, signal);
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
    return this.backing.uploadPart(bucket, key, uploadId, partNumber, body, options, signal);
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
    return this.backing.uploadPartCopy(source, bucket, key, uploadId, partNumber, options, signal);
  }
  completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ) {
    return this.backing.completeMultipartUpload(bucket, key, uploadId, parts, options, signal);
  }
  abortMultipartUpload(bucket: string, key: string, uploadId: string, signal: AbortSignal) {
    return this.backing.abortMultipartUpload(bucket, key, uploadId, signal);
  }
  listParts(bucket: string, key: string, uploadId: string, options: ListPartsOptions, signal: AbortSignal) {
    return this.backing.listParts(bucket, key, uploadId, options, signal);
  }
  listMultipartUploads(bucket: string, options: ListMultipartUploadsOptions, signal: AbortSignal) {
    return this.backing.listMultipartUploads(bucket, options, signal);
  }
  getObjectTags(bucket: string, key: string, signal: AbortSignal) {
    return this.backing.getObjectTags(bucket, key, signal);
  }
  putObjectTags(bucket: string, key: string, tags: TagSet, signal: AbortSignal) {
    return this.backing.putObjectTags(bucket, key, tags, signal);
  }
  getBucketDocument(bucket: string, document: BucketDocument, signal: AbortSignal) {
    return this.backing.getBucketDocument(bucket, document, signal);
  }
  putBucketDocument(bucket: string, document: BucketDocument, content: string | undefined, signal: AbortSignal) {
    return this.backing.putBucketDocument(bucket, document, content, signal);
  }
}
