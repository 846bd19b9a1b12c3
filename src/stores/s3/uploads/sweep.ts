/** Removes what uploads have left that ended elsewhere: by a lifecycle rule, or while a gateway was killed. */
import { S3Error } from '../../../../s3-api/errors.js';
import type { Backing } from '../backing.js';
import { listParts } from '../multipart.js';
import type { StagedFolder, StagedParts } from './staged-parts.js';
import { isRecordKey } from './staging-keys.js';
import type { UploadRecords } from './upload-records.js';

const MS_PER_HOUR = 3_600_000;
/** Buckets are looked at when an upload begins, and no more often. */
const INTERVAL_MS = MS_PER_HOUR;
/** What changed more recently may belong to an upload that is beginning or ending. */
const MIN_AGE_MS = 24 * MS_PER_HOUR;
const TIME_LIMIT_MS = 10 * 60_000;

export class Sweep {
  readonly #last = new Map<string, number>();

  constructor(
    private readonly backing: Backing,
    private readonly records: UploadRecords,
    private readonly staged: StagedParts,
  ) {}

  /** Looks at the bucket if that is due. Never rejects: what could not be removed is met again. */
  async due(bucket: string, now = Date.now()): Promise<void> {
    if (now - (this.#last.get(bucket) ?? -Infinity) < INTERVAL_MS) return;
    this.#last.set(bucket, now);
    const signal = AbortSignal.timeout(TIME_LIMIT_MS);
    try {
      for (const folder of await this.staged.folders(bucket, signal)) {
        if (now - folder.newest.getTime() < MIN_AGE_MS || (await this.#isLive(bucket, folder, signal))) continue;
        await this.staged.removeKeys(bucket, folder.keys, signal);
      }
    } catch {
      return;
    }
  }

  async #isLive(bucket: string, { keys }: StagedFolder, signal: AbortSignal): Promise<boolean> {
    const recordKey = keys.find(isRecordKey);
    const record = recordKey !== undefined && (await this.records.at(bucket, recordKey, signal));
    if (record === false) return false;
    try {
      await listParts(this.backing, bucket, record.key, record.uploadId, { maxParts: 1 }, signal);
      return true;
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchUpload') return false;
      throw error;
    }
  }
}
