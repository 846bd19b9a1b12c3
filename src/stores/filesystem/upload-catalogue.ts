/** Multipart uploads in progress: their records in the index, their parts as files in a folder an upload. */
import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errors } from '../../../s3-api/errors.js';
import type { DirectorySyncs } from './durable-files.js';
import { KeyLocks } from './key-locks.js';
import { objectKey, partKey, prefixEnd, uploadKey, type MetadataIndex } from './metadata-index.js';
import type { PartRecord, UploadRecord } from './records.js';
import type { StagedBody } from './stage-body.js';

/** Ids sort by the time of creation, as ListMultipartUploads wants uploads of one key. */
export function newUploadId(now: number): string {
  return `${now.toString(16).padStart(12, '0')}${randomBytes(16).toString('hex')}`;
}

export class UploadCatalogue {
  private readonly locks = new KeyLocks();

  constructor(
    private readonly root: string,
    private readonly index: MetadataIndex,
    private readonly directories: DirectorySyncs,
  ) {}

  /** One change of an upload at a time: parts are not replaced while they are being assembled. */
  exclusively<T>(uploadId: string, action: () => Promise<T>): Promise<T> {
    return this.locks.run(uploadId, action);
  }

  /** Rejects with NoSuchBucket. */
  async create(bucket: string, record: UploadRecord): Promise<void> {
    await this.directories.makeDirectory(this.directory(record.uploadId));
    await this.index.transaction(() => {
      if (this.index.bucket(bucket) === undefined) throw errors.noSuchBucket(bucket);
      void this.index.uploads.put(uploadKey(bucket, record.key, record.uploadId), record);
    });
  }

  find(bucket: string, key: string, uploadId: string): UploadRecord | undefined {
    this.index.refresh();
    return this.index.uploads.get(uploadKey(bucket, key, uploadId));
  }

  /** Throws NoSuchBucket or NoSuchUpload. */
  require(bucket: string, key: string, uploadId: string): UploadRecord {
    const record = this.find(bucket, key, uploadId);
    if (record !== undefined) return record;
    if (this.index.bucket(bucket) === undefined) throw errors.noSuchBucket(bucket);
    throw errors.noSuchUpload(uploadId);
  }

  /** In order of their numbers, at most `limit` after `marker`. */
  parts(uploadId: string, marker = 0, limit = Infinity): PartRecord[] {
    const range = { start: partKey(uploadId, marker + 1), end: partKey(uploadId, 0xffff) };
    return [...this.index.parts.getRange(limit === Infinity ? range : { ...range, limit })].map(({ value }) => value);
  }

  partPath(uploadId: string, part: PartRecord): string {
    return join(this.directory(uploadId), part.file);
  }

  /** Takes a staged body over as a part and removes the one that it replaces. Rejects with NoSuchUpload. */
  async addPart(
    bucket: string,
    key: string,
    uploadId: string,
    staged: StagedBody,
    facts: Omit<PartRecord, 'file'>,
  ): Promise<void> {
    const record: PartRecord = { ...facts, file: `${facts.partNumber}.${randomBytes(6).toString('hex')}` };
    const path = this.partPath(uploadId, record);
    try {
      await this.exclusively(uploadId, async () => {
        this.require(bucket, key, uploadId);
        await rename(staged.path, path);
        await this.directories.sync(this.directory(uploadId));
        const indexKey = partKey(uploadId, record.partNumber);
        const replaced = this.index.parts.get(indexKey);
        await this.index.parts.put(indexKey, record);
        if (replaced !== undefined) await rm(this.partPath(uploadId, replaced), { force: true });
      });
    } finally {
      await rm(staged.path, { force: true });
    }
  }

  /** Forgets the upload and removes its parts. */
  async drop(bucket: string, key: string, uploadId: string): Promise<void> {
    await this.index.transaction(() => {
      void this.index.uploads.remove(uploadKey(bucket, key, uploadId));
      for (const { partNumber } of this.parts(uploadId)) void this.index.parts.remove(partKey(uploadId, partNumber));
    });
    await rm(this.directory(uploadId), { recursive: true, force: true });
  }

  /** Drops every upload of a deleted bucket. */
  async dropBucket(bucket: string): Promise<void> {
    for (const { key, uploadId } of this.ofBucket(bucket)) {
      await this.exclusively(uploadId, () => this.drop(bucket, key, uploadId));
    }
  }

  private ofBucket(bucket: string): UploadRecord[] {
    const start = objectKey(bucket, '');
    return [...this.index.uploads.getRange({ start, end: prefixEnd(start) })].map(({ value }) => value);
  }

  /** Removes what a crash left: finished uploads, folders without an upload, files that are no upload's part. */
  async recover(): Promise<void> {
    const live = new Set<string>();
    for (const { key: bytes } of [...this.index.buckets.getRange()]) {
      const bucket = bytes.toString();
      for (const { key, uploadId } of this.ofBucket(bucket)) {
        if (this.index.object(bucket, key)?.current.uploadId === uploadId) await this.drop(bucket, key, uploadId);
        else live.add(uploadId);
      }
    }
    await this.directories.makeDirectory(this.root);
    for (const uploadId of await readdir(this.root)) {
      const parts = live.has(uploadId) ? new Set(this.parts(uploadId).map(({ file }) => file)) : undefined;
      if (parts === undefined) {
        await rm(this.directory(uploadId), { recursive: true, force: true });
        continue;
      }
      for (const file of await readdir(this.directory(uploadId))) {
        if (!parts.has(file)) await rm(join(this.directory(uploadId), file), { force: true });
      }
    }
  }

  private directory(uploadId: string): string {
    return join(this.root, uploadId);
  }
}
