/**
 * The commit protocol: how a body and its metadata change together although they lie in two places.
 *
 * The body is a plain file, the metadata a record in the index, and the file's modification time (its stamp, unique in
 * the store) names the version that it holds. A write under the key's lock is:
 *
 * 1. the staged body is flushed (with its stamp);
 * 2. one durable transaction writes the record `{ current: new, settling: { previous: old } }`;
 * 3. `rename` puts the staged body at the object's path, and the folder is flushed;
 * 4. a later transaction drops `settling`, most often the one that starts the next write.
 *
 * Step 3 is the commit: whoever reads a record with `settling` looks at the file's stamp, and serves `previous` before
 * the rename and `current` after it. A reader opens the file first and then trusts only a record that knows the stamp
 * of *that* open file, so it never pairs a new body with old metadata or the other way round. After a crash at any
 * moment the record still knows both versions and the stamp still decides; `recover` tidies up at the next start, from
 * the list `unsettled` that steps 2 and 4 keep.
 *
 * A delete removes the record (the commit) and then the file; `unsettled` remembers the file meanwhile.
 */
import { lstat, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { evaluateWriteConditions } from '../../../s3-api/conditions.js';
import { errors } from '../../../s3-api/errors.js';
import type { Conditions } from '../../../s3-api/object-store.js';
import { hasErrorCode, removeEmptyDirectories, type DirectorySyncs } from './durable-files.js';
import { KeyLocks } from './key-locks.js';
import { objectKey, type MetadataIndex } from './metadata-index.js';
import { apartPath, plainPath } from './object-path.js';
import type { ObjectRecord, ObjectVersion, UnsettledRecord } from './records.js';
import { Settlements } from './settlements.js';
import type { StagedBody } from './stage-body.js';

/** A folder can vanish between its making and the rename, when its last object is deleted; then it is made again. */
const RENAME_ATTEMPTS = 16;

/** What a write says of its object beside the body. */
export type VersionFacts = Omit<ObjectVersion, 'path' | 'stamp' | 'size' | 'lastModified'>;

export class ObjectCommits {
  private readonly locks = new KeyLocks();
  private readonly settlements = new Settlements((action) => this.index.transaction(action));

  constructor(
    private readonly root: string,
    private readonly index: MetadataIndex,
    private readonly directories: DirectorySyncs,
  ) {}

  bodyPath(bucket: string, path: string): string {
    return join(this.root, bucket, path);
  }

  /** The object as it is now, or `undefined`. */
  async current(bucket: string, key: string): Promise<ObjectVersion | undefined> {
    this.index.refresh();
    const record = this.index.object(bucket, key);
    return record === undefined ? undefined : this.resolve(bucket, record);
  }

  /** Which of a record's versions the file holds. */
  async resolve(bucket: string, record: ObjectRecord): Promise<ObjectVersion | undefined> {
    const { current, settling } = record;
    if (settling === undefined) return current;
    try {
      const file = await lstat(this.bodyPath(bucket, current.path), { bigint: true });
      return file.isFile() && isVersion(current, file) ? current : settling.previous;
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return settling.previous;
      throw error;
    }
  }

  /**
   * Puts a staged body under the key if the conditions hold at that moment. The staged file is gone afterwards, whatever
   * the outcome. Rejects with NoSuchBucket, PreconditionFailed or NoSuchKey (If-Match without an object).
   */
  async publish(
    bucket: string,
    key: string,
    staged: Pick<StagedBody, 'path' | 'stamp' | 'size' | 'lastModified'>,
    facts: VersionFacts,
    conditions?: Conditions,
  ): Promise<ObjectVersion> {
    try {
      return await this.locks.run(`${bucket}/${key}`, async () => {
        const previous = await this.current(bucket, key);
        evaluateWriteConditions(conditions, key, previous);
        for (const path of previous === undefined ? [plainPath(key), apartPath(key)] : [previous.path]) {
          const { stamp, size, lastModified } = staged;
          const version: ObjectVersion = { ...facts, path, stamp, size, lastModified };
          if (await this.place(bucket, key, staged.path, version, previous)) return version;
        }
        throw new Error(`no place for ${JSON.stringify(key)} in bucket ${bucket}`);
      });
    } finally {
      await rm(staged.path, { force: true });
    }
  }

  /** Steps 2 to 4. `false` where the path is taken by a folder or leads through a file. */
  private async place(
    bucket: string,
    key: string,
    staged: string,
    version: ObjectVersion,
    previous: ObjectVersion | undefined,
  ): Promise<boolean> {
    const target = this.bodyPath(bucket, version.path);
    if (previous === undefined && !(await this.isFree(target))) return false;
    const indexKey = objectKey(bucket, key);
    const unsettled: UnsettledRecord = { bucket, key, path: version.path };
    await this.settlements.transaction(() => {
      if (this.index.bucket(bucket) === undefined) throw errors.noSuchBucket(bucket);
      void this.index.objects.put(indexKey, { current: version, settling: previous === undefined ? {} : { previous } });
      void this.index.unsettled.put(indexKey, unsettled);
    });
    let renamed = false;
    try {
      renamed = await this.rename(staged, target);
      if (renamed) await this.directories.sync(dirname(target));
    } finally {
      if (renamed) this.settlements.later(() => this.settle(indexKey, version));
      else await this.settlements.transaction(() => this.settle(indexKey, previous));
    }
    return renamed;
  }

  private async isFree(target: string): Promise<boolean> {
    try {
      return !(await lstat(target)).isDirectory();
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return true;
      if (hasErrorCode(error, 'ENOTDIR')) return false;
      throw error;
    }
  }

  private async rename(staged: string, target: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await rename(staged, target);
        return true;
      } catch (error) {
        if (hasErrorCode(error, 'EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST')) return false;
        if (!hasErrorCode(error, 'ENOENT') || attempt === RENAME_ATTEMPTS) throw error;
      }
      try {
        await this.directories.makeDirectory(dirname(target));
      } catch (error) {
        if (hasErrorCode(error, 'ENOTDIR', 'EEXIST')) return false;
        if (!hasErrorCode(error, 'ENOENT')) throw error;
      }
    }
  }

  /** Within a transaction. */
  private settle(indexKey: Buffer, outcome: ObjectVersion | undefined): void {
    if (outcome === undefined) void this.index.objects.remove(indexKey);
    else void this.index.objects.put(indexKey, { current: outcome });
    void this.index.unsettled.remove(indexKey);
  }

  /** Removes the object after `check` has accepted it (`undefined`: there is none); the key's lock is held meanwhile. */
  async remove(bucket: string, key: string, check: (current: ObjectVersion | undefined) => void): Promise<void> {
    await this.locks.run(`${bucket}/${key}`, async () => {
      const current = await this.current(bucket, key);
      check(current);
      if (current === undefined) return;
      const indexKey = objectKey(bucket, key);
      await this.settlements.transaction(() => {
        void this.index.objects.remove(indexKey);
        void this.index.unsettled.put(indexKey, { bucket, key, path: current.path });
      });
      await this.removeBody(bucket, current.path);
      this.settlements.later(() => void this.index.unsettled.remove(indexKey));
    });
  }

  private async removeBody(bucket: string, path: string): Promise<void> {
    const target = this.bodyPath(bucket, path);
    try {
      await rm(target);
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return;
      throw error;
    }
    await removeEmptyDirectories(dirname(target), join(this.root, bucket));
  }

  /** Changes an object's metadata and leaves its body alone. Rejects with NoSuchKey. */
  async amend(bucket: string, key: string, change: (current: ObjectVersion) => ObjectVersion): Promise<ObjectVersion> {
    return this.locks.run(`${bucket}/${key}`, async () => {
      const current = await this.current(bucket, key);
      if (current === undefined) throw errors.noSuchKey(key);
      const next = change(current);
      await this.settlements.transaction(() => this.settle(objectKey(bucket, key), next));
      return next;
    });
  }

  /** Decides what a crash left undecided. Run before anything else. */
  async recover(): Promise<void> {
    for (const { key: indexKey, value } of [...this.index.unsettled.getRange()]) {
      const { bucket, key, path } = value;
      const record = this.index.object(bucket, key);
      const version = record === undefined ? undefined : await this.resolve(bucket, record);
      if (record === undefined) await this.removeBody(bucket, path);
      await this.settlements.transaction(() => this.settle(indexKey, version));
    }
  }

  /** Resolves when all records are settled. */
  async close(): Promise<void> {
    await this.settlements.flush();
  }
}

/** Whether a file is the body of this version. */
export function isVersion(version: ObjectVersion, file: { readonly mtimeNs: bigint; readonly size: bigint }): boolean {
  return version.stamp === String(file.mtimeNs) && version.size === Number(file.size);
}
