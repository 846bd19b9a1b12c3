/** A complete ObjectStore in memory, for tests of the front: no versions, no limits, every rule of the contract. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { resolveByteRange } from '../byte-range.js';
import {
  evaluateCopySourceConditions,
  evaluateDeleteConditions,
  evaluateReadConditions,
  evaluateWriteConditions,
} from '../conditions.js';
import { errors } from '../errors.js';
import { compareKeys } from '../key-order.js';
import { collectListPage, isAfter } from '../list-page.js';
import type {
  Bucket,
  BucketDocument,
  CopyOptions,
  CopyResult,
  CopySource,
  DeleteOptions,
  DeleteResult,
  ListOptions,
  ObjectContent,
  ObjectListing,
  ObjectPart,
  ObjectStore,
  ReadOptions,
  ResolvedByteRange,
  TagSet,
  WriteOptions,
  WriteResult,
} from '../object-store.js';
import { checksumOf, writtenChecksums } from './memory-checksums.js';
import { MemoryMultipart } from './memory-multipart.js';
import { infoOf, type MemoryBucket, type StoredObject } from './memory-objects.js';

export class MemoryStore extends MemoryMultipart implements ObjectStore {
  async listBuckets(): Promise<readonly Bucket[]> {
    return [...this.buckets.values()].map(({ name, creationDate }) => ({ name, creationDate }));
  }

  async createBucket(name: string): Promise<void> {
    if (this.buckets.has(name)) throw errors.bucketAlreadyOwnedByYou(name);
    const bucket: MemoryBucket = {
      name,
      creationDate: new Date(),
      objects: new Map(),
      uploads: new Map(),
      documents: new Map(),
    };
    this.buckets.set(name, bucket);
  }

  async headBucket(bucket: string): Promise<void> {
    this.bucket(bucket);
  }

  async deleteBucket(bucket: string): Promise<void> {
    if (this.bucket(bucket).objects.size > 0) throw errors.bucketNotEmpty(bucket);
    this.buckets.delete(bucket);
  }

  async headObject(bucket: string, key: string, options: ReadOptions): Promise<Omit<ObjectContent, 'body'>> {
    const object = this.object(bucket, key, options.versionId);
    evaluateReadConditions(options.conditions, object);
    const range = rangeOf(object, options);
    return { info: infoOf(object), ...(range !== undefined && { range }) };
  }

  async getObject(bucket: string, key: string, options: ReadOptions): Promise<ObjectContent> {
    const head = await this.headObject(bucket, key, options);
    const { bytes } = this.object(bucket, key);
    return { ...head, body: head.range === undefined ? bytes : bytes.subarray(head.range.first, head.range.last + 1) };
  }

  async putObject(
    bucket: string,
    key: string,
    body: Readable,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { objects } = this.bucket(bucket);
    evaluateWriteConditions(options.conditions, key, objects.get(key));
    const bytes = await this.readAll(body, signal);
    evaluateWriteConditions(options.conditions, key, objects.get(key));
    const checksums = writtenChecksums(bytes, options.checksum);
    const object: StoredObject = {
      key,
      bytes,
      etag: md5(bytes),
      lastModified: new Date(),
      systemMetadata: options.systemMetadata,
      userMetadata: options.userMetadata,
      tags: options.tags ?? {},
      checksums,
      parts: [],
      ...(options.storageClass !== undefined && { storageClass: options.storageClass }),
    };
    objects.set(key, object);
    return { etag: object.etag, checksums };
  }

  async deleteObject(bucket: string, key: string, options: DeleteOptions): Promise<DeleteResult> {
    const { objects } = this.bucket(bucket);
    const { versionId } = options;
    if (versionId !== undefined && versionId !== 'null') throw invalidVersion(versionId);
    const current = objects.get(key);
    evaluateDeleteConditions(options.conditions, key, current && { ...current, size: current.bytes.length });
    objects.delete(key);
    return versionId === undefined ? {} : { versionId };
  }

  async copyObject(source: CopySource, bucket: string, key: string, options: CopyOptions): Promise<CopyResult> {
    const from = this.object(source.bucket, source.key, source.versionId);
    const { objects } = this.bucket(bucket);
    evaluateCopySourceConditions(source.conditions, from);
    evaluateWriteConditions(options.conditions, key, objects.get(key));
    const algorithm = options.checksumAlgorithm;
    const copy: StoredObject = {
      ...from,
      ...options.replaceMetadata,
      key,
      lastModified: new Date(),
      tags: options.replaceTags ?? from.tags,
      etag: md5(from.bytes),
      parts: [],
      checksums: algorithm === undefined ? from.checksums : [checksumOf(algorithm, from.bytes)],
      ...(options.storageClass !== undefined && { storageClass: options.storageClass }),
    };
    objects.set(key, copy);
    return { etag: copy.etag, lastModified: copy.lastModified, checksums: copy.checksums };
  }

  async listObjects(bucket: string, options: ListOptions): Promise<ObjectListing> {
    const sorted = [...this.bucket(bucket).objects.values()].sort((a, b) => compareKeys(a.key, b.key));
    const page = await collectListPage(
      (prefix, position) => sorted.filter(({ key }) => key.startsWith(prefix) && isAfter(key, position)),
      options,
    );
    return {
      ...page,
      objects: page.objects.map((object) => {
        const { key, size, etag, lastModified, checksums = [], storageClass } = infoOf(object);
        const [checksum] = checksums;
        return {
          key,
          size,
          etag,
          lastModified,
          ...(storageClass !== undefined && { storageClass }),
          ...(checksum !== undefined && {
            checksumAlgorithms: checksums.map(({ algorithm }) => algorithm),
            checksumType: checksum.type,
          }),
        };
      }),
    };
  }

  async listObjectParts(bucket: string, key: string): Promise<readonly ObjectPart[]> {
    return this.object(bucket, key).parts;
  }

  async getObjectTags(bucket: string, key: string): Promise<TagSet> {
    return this.object(bucket, key).tags;
  }

  async putObjectTags(bucket: string, key: string, tags: TagSet): Promise<void> {
    this.bucket(bucket).objects.set(key, { ...this.object(bucket, key), tags });
  }

  async getBucketDocument(bucket: string, document: BucketDocument): Promise<string | undefined> {
    return this.bucket(bucket).documents.get(document);
  }

  async putBucketDocument(bucket: string, document: BucketDocument, content: string | undefined): Promise<void> {
    const { documents } = this.bucket(bucket);
    if (document === 'versioning') throw errors.notImplemented('versioning');
    if (content === undefined) documents.delete(document);
    else documents.set(document, content);
  }
}

function rangeOf({ bytes, parts }: StoredObject, { range, partNumber }: ReadOptions): ResolvedByteRange | undefined {
  if (partNumber === undefined) return range && resolveByteRange(range, bytes.length);
  if (parts.length === 0 && partNumber === 1) return { first: 0, last: bytes.length - 1 };
  const at = parts.findIndex((part) => part.partNumber === partNumber);
  const part = parts[at];
  if (part === undefined) throw errors.invalidPartNumber(partNumber, Math.max(1, parts.length));
  const first = parts.slice(0, at).reduce((sum, { size }) => sum + size, 0);
  return { first, last: first + part.size - 1 };
}

function invalidVersion(versionId: string) {
  return errors.invalidArgument('versionId', versionId, 'Invalid version id specified');
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
