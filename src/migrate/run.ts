/** A run over a location: settles what an earlier run left open, then migrates whatever the listing shows. */
import type { ObjectStore } from '../../s3-api/index.js';
import type { Journal, ReplacingEntry } from './journal.js';
import { listLocation } from './listing.js';
import type { Location } from './location.js';
import { ProgressCounter, type Progress } from './progress.js';
import { runPool } from './run-pool.js';
import { settleListed, type SettleOptions } from './settle-listed.js';

export interface RunOptions extends SettleOptions {
  readonly store: ObjectStore;
  readonly from: Location;
  /** Prefixes that hold the migration's own objects. */
  readonly ignore: readonly string[];
  /** Objects in work at once. */
  readonly concurrency: number;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * @param stop ends the run after the objects in work; they are finished, nothing is left half-done
 * @param signal drops everything at once, as a crash would; the next run settles it
 * @throws what ends the whole run: no bucket, no access, a full disk
 */
export async function runMigration(options: RunOptions, stop: AbortSignal, signal: AbortSignal): Promise<Progress> {
  const { store, from, ignore, concurrency, onProgress } = options;
  const counter = new ProgressCounter();
  await settleLeftovers(options, signal);
  const listing = untilStopped(listLocation(store, from, ignore, signal), stop);
  const migrating = runPool(listing, concurrency, async (listed) => {
    counter.add(listed.size, await settleListed(options, listed, signal));
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

async function* untilStopped<Item>(items: AsyncIterable<Item>, stop: AbortSignal): AsyncGenerator<Item> {
  for await (const item of items) {
    if (stop.aborted) return;
    yield item;
  }
}

async function* leftovers(journal: Journal): AsyncGenerator<ReplacingEntry> {
  for await (const entry of journal.all()) if (entry.state === 'replacing') yield entry;
}
