/** A run over a location: settles what an earlier run left open, then migrates whatever the listing shows. */
import type { ListedObject, ObjectStore } from '../../s3-api/index.js';
import { S3Error } from '../../s3-api/index.js';
import type { DoneEntry, Journal, ReplacingEntry } from './journal.js';
import { listLocation } from './listing.js';
import type { Location } from './location.js';
import type { ObjectMigrator } from './migrate-object.js';
import type { ObjectOutcome } from './outcome.js';
import { ProgressCounter, type Progress } from './progress.js';
import type { RateLimiter } from './rate-limiter.js';
import type { ObjectReplacer } from './replace-object.js';
import { runPool } from './run-pool.js';

export interface RunOptions {
  readonly store: ObjectStore;
  readonly journal: Journal;
  readonly replacer: ObjectReplacer;
  readonly migrator: ObjectMigrator;
  readonly from: Location;
  /** Prefixes that hold the migration's own objects. */
  readonly ignore: readonly string[];
  /** Objects in work at once. */
  readonly concurrency: number;
  readonly objectRate: RateLimiter;
  readonly byteRate: RateLimiter;
  /** Tries of an object that the store or the decoder turned away for now. */
  readonly maxTries: number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  readonly onProgress: (progress: Progress) => void;
}

const FIRST_BACKOFF_MS = 500;
const PASSING_CODES: readonly string[] = ['SlowDown', 'ServiceUnavailable', 'InternalError', 'RequestTimeout'];

/**
 * @param stop ends the run after the objects in work; they are finished, nothing is left half-done
 * @param signal drops everything at once, as a crash would; the next run settles it
 * @throws what ends the whole run: no bucket, no access, a full disk
 */
export async function runMigration(options: RunOptions, stop: AbortSignal, signal: AbortSignal): Promise<Progress> {
  const { store, from, ignore, migrator, concurrency, onProgress } = options;
  const counter = new ProgressCounter();
  await settleLeftovers(options, signal);
  const listing = untilStopped(listLocation(store, from, ignore, signal), stop);
  const migrating = runPool(listing, concurrency, async (listed) => {
    const earlier = await migrator.settledBefore(listed);
    const outcome = earlier ?? (await migrateWithRetries(options, listed, signal));
    counter.add(listed.size, outcome);
    onProgress(counter.get());
  });
  await Promise.all([migrating, countObjects(options, counter, AbortSignal.any([stop, signal]))]);
  return counter.get();
}

async function settleLeftovers({ journal, replacer, concurrency }: RunOptions, signal: AbortSignal): Promise<void> {
  await runPool(leftovers(journal), concurrency, async (entry) => {
    await replacer.settle(entry, signal);
  });
}

/** LIST is cheap beside converting: a pass of its own knows the total long before the work is done. */
async function countObjects({ store, from, ignore }: RunOptions, counter: ProgressCounter, signal: AbortSignal) {
  let objects = 0;
  let bytes = 0;
  try {
    for await (const { size } of listLocation(store, from, ignore, signal)) {
      objects += 1;
      bytes += size;
    }
    counter.setTotal(objects, bytes);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function migrateWithRetries(
  options: RunOptions,
  listed: ListedObject,
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
function failedEntry({ key, etag }: ListedObject, outcome: ObjectOutcome): DoneEntry {
  return { state: 'done', key, listedEtag: etag, settings: '', outcome };
}

async function* untilStopped<Item>(items: AsyncIterable<Item>, stop: AbortSignal): AsyncGenerator<Item> {
  for await (const item of items) {
    if (stop.aborted) return;
    yield item;
  }
}

async function* leftovers(journal: Journal): AsyncGenerator<ReplacingEntry> {
  for await (const entry of journal.all()) if (entry.state === 'replacing') yield entry;
}
