/** One of the workers lists the location into the queue; when it dies, another goes on where it was. */
import type { ListedObject, ObjectStore } from '../../../s3-api/index.js';
import { entryDigest } from '../journal.js';
import { listLocation } from '../listing.js';
import type { Location } from '../location.js';
import type { ListingState, Shard } from './messages.js';
import { NO_LISTING, type SharedJob } from './shared-job.js';

export interface ShardListerOptions {
  readonly job: SharedJob;
  readonly store: ObjectStore;
  readonly from: Location;
  readonly ignore: readonly string[];
  /** Of this worker; unique. */
  readonly worker: string;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

/** A shard is lost work when its worker dies, and a message when it is not. */
const OBJECTS_PER_SHARD = 16;
const QUEUE_FULL_WAIT_MS = 500;
const RENEWALS_PER_LEASE = 3;

/** Takes part in listing until the location is listed, by whomever. */
export async function listShards(options: ShardListerOptions, signal: AbortSignal): Promise<void> {
  const { job, worker, sleep } = options;
  while (!(await job.listing()).done) {
    const revision = await job.takeLease(worker);
    if (revision !== undefined) {
      await listHolding(options, revision, signal);
      return;
    }
    await sleep(job.timing.leaseMs / RENEWALS_PER_LEASE, signal);
  }
}

/** Opens a finished job for another pass; what is settled costs the next pass a look into the journal. */
export async function startRound(job: SharedJob): Promise<void> {
  const listing = await job.listing();
  if (listing.done && (await job.outstanding()) === 0)
    await job.recordListing({ ...NO_LISTING, round: listing.round + 1 });
}

async function listHolding(options: ShardListerOptions, first: number, signal: AbortSignal): Promise<void> {
  const { job, store, from, ignore, worker, sleep } = options;
  const lost = new AbortController();
  let revision = first;
  const renewing = setInterval(() => {
    job.renewLease(worker, revision).then(
      (renewed) => (revision = renewed),
      () => lost.abort(new Error('another worker took the listing over')),
    );
  }, job.timing.leaseMs / RENEWALS_PER_LEASE);
  const either = AbortSignal.any([signal, lost.signal]);
  try {
    let state = await job.listing();
    const rest = listLocation(store, from, ignore, either, state.startAfter);
    for await (const objects of batches(rest, OBJECTS_PER_SHARD)) {
      await enqueue(job, { objects }, state.round, sleep, either);
      state = advanced(state, objects);
      await job.recordListing(state);
    }
    await job.recordListing({ ...state, done: true });
    await job.giveLeaseBack();
  } finally {
    clearInterval(renewing);
  }
}

async function enqueue(
  job: SharedJob,
  shard: Shard,
  round: number,
  sleep: ShardListerOptions['sleep'],
  signal: AbortSignal,
): Promise<void> {
  const id = `${round}:${entryDigest(shard.objects[0]?.key ?? '').toString('hex')}`;
  while (!(await job.enqueue(shard, id))) await sleep(QUEUE_FULL_WAIT_MS, signal);
}

function advanced(state: ListingState, objects: Shard['objects']): ListingState {
  const last = objects.at(-1)?.key;
  return {
    ...state,
    ...(last !== undefined && { startAfter: last }),
    shards: state.shards + 1,
    objects: state.objects + objects.length,
    bytes: state.bytes + objects.reduce((sum, { size }) => sum + size, 0),
  };
}

async function* batches(
  objects: AsyncIterable<ListedObject>,
  size: number,
): AsyncGenerator<Shard['objects'], void, undefined> {
  let batch: { key: string; etag: string; size: number }[] = [];
  for await (const { key, etag, size: bytes } of objects) {
    batch.push({ key, etag, size: bytes });
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
