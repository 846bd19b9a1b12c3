/** Buckets and the documents that S3 keeps with them. */
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errors } from '../../../s3-api/errors.js';
import type { Bucket, BucketDocument } from '../../../s3-api/object-store.js';
import { hasErrorCode, type DirectorySyncs } from './durable-files.js';
import type { MetadataIndex } from './metadata-index.js';
import type { BucketRecord } from './records.js';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_NAME = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]$/;

export class Buckets {
  constructor(
    private readonly root: string,
    private readonly index: MetadataIndex,
    private readonly directories: DirectorySyncs,
  ) {}

  list(): Bucket[] {
    this.index.refresh();
    return [...this.index.buckets.getRange()].map(({ key, value }) => ({
      name: key.toString(),
      creationDate: new Date(value.creationDate),
    }));
  }

  /** The bucket's record. Throws NoSuchBucket. */
  require(bucket: string): BucketRecord {
    this.index.refresh();
    const record = this.index.bucket(bucket);
    if (record === undefined) throw errors.noSuchBucket(bucket);
    return record;
  }

  /** Rejects with InvalidBucketName or BucketAlreadyOwnedByYou. */
  async create(bucket: string): Promise<void> {
    if (!BUCKET_NAME.test(bucket)) throw errors.invalidBucketName(bucket);
    await mkdir(join(this.root, bucket), { recursive: true });
    await this.directories.sync(this.root);
    await this.index.transaction(() => {
      if (this.index.bucket(bucket) !== undefined) throw errors.bucketAlreadyOwnedByYou(bucket);
      void this.index.buckets.put(Buffer.from(bucket), { creationDate: Date.now() });
    });
  }

  /** Rejects with NoSuchBucket or BucketNotEmpty. Files that were put into the folder by hand stay. */
  async delete(bucket: string): Promise<void> {
    await this.index.transaction(() => {
      if (this.index.bucket(bucket) === undefined) throw errors.noSuchBucket(bucket);
      if (!this.index.isEmpty(bucket)) throw errors.bucketNotEmpty(bucket);
      void this.index.buckets.remove(Buffer.from(bucket));
    });
    try {
      await rmdir(join(this.root, bucket));
    } catch (error) {
      if (!hasErrorCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
    }
  }

  /** Rejects with NoSuchBucket or NotImplemented. A bucket here is never versioned, which S3 says by an empty answer. */
  getDocument(bucket: string, document: BucketDocument): string | undefined {
    const record = this.require(bucket);
    if (document === 'lifecycle') throw errors.notImplemented('lifecycle');
    return record.documents?.[document];
  }

  /** Rejects with NoSuchBucket or NotImplemented (versioning, lifecycle). */
  async putDocument(bucket: string, document: BucketDocument, content: string | undefined): Promise<void> {
    this.require(bucket);
    if (document === 'lifecycle' || document === 'versioning') throw errors.notImplemented(document);
    await this.index.transaction(() => {
      const record = this.index.bucket(bucket);
      if (record === undefined) throw errors.noSuchBucket(bucket);
      const { creationDate, documents = {} } = record;
      const others = Object.fromEntries(Object.entries(documents).filter(([name]) => name !== document));
      const changed = content === undefined ? others : { ...others, [document]: content };
      void this.index.buckets.put(Buffer.from(bucket), { creationDate, documents: changed });
    });
  }
}
