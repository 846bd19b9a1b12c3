/** One listed object, whatever earlier runs did with it: settled, passed over, or migrated with patience. */
import { S3Error, type ListedObject } from '../../s3-api/index.js';
import type { DoneEntry, Journal } from './journal.js';
import type { ObjectMigrator } from './migrate-object.js';
import type { ObjectOutcome } from './outcome.js';
import type { RateLimiter } from './rate-limiter.js';
import type { ObjectReplacer } from './replace-object.js';

export interface SettleOptions {
  readonly journal: Journal;
  readonly replacer: ObjectReplacer;
  readonly migrator: ObjectMigrator;
  readonly objectRate: RateLimiter;
  readonly byteRate: RateLimiter;
  /** Tries of an object that the store or the decoder turned away for now. */
  readonly maxTries: number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

/** What a listing says of an object. */
export type ListedVersion = Pick<ListedObject, 'key' | 'etag' | 'size'>;

const FIRST_BACKOFF_MS = 500;
const PASSING_CODES: readonly string[] = ['SlowDown', 'ServiceUnavailable', 'InternalError', 'RequestTimeout'];

/** @throws what ends the whole run: anything but an S3 error of this object, which is an outcome */
export async function settleListed(
  options: SettleOptions,
  listed: ListedVersion,
  signal: AbortSignal,
): Promise<ObjectOutcome> {
  const { journal, migrator, replacer } = options;
  const entry = await journal.get(listed.key);
  if (entry?.state === 'replacing') {
    // Whoever was at it is gone, or so slow that its conditional write can only find ours.
    const settled = await replacer.settle(entry, signal);
    if (typeof settled !== 'string' && settled.kind === 'converted') return settled;
  }
  return (await migrator.settledBefore(listed)) ?? (await migrateWithRetries(options, listed, signal));
}

async function migrateWithRetries(
  options: SettleOptions,
  listed: ListedVersion,
  signal: AbortSignal,
): Promise<ObjectOutcome> {
  const { migrator, journal, objectRate, byteRate, maxTries, sleep } = options;
  for (let tries = 1; ; tries++) {
    await objectRate.take(1, signal);
    await byteRate.take(listed.size, signal);
    try {
      return await migrator.migrate(listed, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof S3Error)) throw error;
      if (tries < maxTries && PASSING_CODES.includes(error.code)) {
        await sleep(FIRST_BACKOFF_MS * 2 ** (tries - 1), signal);
        continue;
      }
      const outcome = { kind: 'failed', message: `${error.code}: ${error.message}` } as const;
      if ((await journal.get(listed.key))?.state !== 'replacing') await journal.put(failedEntry(listed, outcome));
      return outcome;
    }
  }
}

/** Kept for the report; the next run tries the object again. */
function failedEntry({ key, etag }: ListedVersion, outcome: ObjectOutcome): DoneEntry {
  return { state: 'done', key, listedEtag: etag, settings: '', outcome };
}
