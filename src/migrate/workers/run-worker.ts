/** One worker of a shared migration: takes shards until the location is listed and nothing is left, may join and leave at will. */
import type { JsMsg } from '@nats-io/jetstream';
import type { Progress } from '../progress.js';
import { ProgressCounter } from '../progress.js';
import type { RunOptions } from '../run.js';
import { settleListed } from '../settle-listed.js';
import { listShards, startRound } from './list-shards.js';
import { parseShard, type Shard } from './messages.js';
import { Quarantine } from './quarantine.js';
import type { SharedJob } from './shared-job.js';

export interface WorkerOptions extends RunOptions {
  readonly job: SharedJob;
  /** Unique. */
  readonly worker: string;
}

/** A shard that was given out so often has ended every worker that took it; its objects go on the list of the dead. */
const MAX_DELIVERIES = 5;
/** From this delivery on an object is worked on alone: whoever fell with its neighbour is not to fall with it again. */
const SUSPECT_DELIVERIES = 3;
const WAIT_FOR_SHARD_MS = 1000;
const HEARTBEATS_PER_ACK_WAIT = 3;

/** What the hands of one worker share. */
interface HandOptions extends WorkerOptions {
  readonly counter: ProgressCounter;
  readonly quarantine: Quarantine;
}

/**
 * @param stop leaves after the shards in work
 * @param signal drops everything at once; other workers get the shards when they are overdue
 * @returns what this worker did itself
 */
export async function runWorker(options: WorkerOptions, stop: AbortSignal, signal: AbortSignal): Promise<Progress> {
  const { job, concurrency } = options;
  const counter = new ProgressCounter();
  const quarantine = new Quarantine();
  const ended = new AbortController();
  await startRound(job);
  const any = AbortSignal.any([stop, signal, ended.signal]);
  const listing = listShards(options, any).catch((error: unknown) => {
    if (any.aborted) return;
    ended.abort();
    throw error;
  });
  const hands = Array.from({ length: concurrency }, () =>
    work({ ...options, counter, quarantine }, stop, ended.signal, signal).catch((error: unknown) => {
      ended.abort();
      throw error;
    }),
  );
  // Hands that are still at work end their shards, or others would have to do those again.
  const ends = await Promise.allSettled([listing, ...hands]);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return counter.get();
}

async function work(options: HandOptions, stop: AbortSignal, ended: AbortSignal, signal: AbortSignal): Promise<void> {
  const { job } = options;
  while (!stop.aborted && !ended.aborted) {
    signal.throwIfAborted();
    const message = await job.next(WAIT_FOR_SHARD_MS);
    if (message !== null) await workOn(message, options, stop, signal);
    else if ((await job.listing()).done && (await job.outstanding()) === 0) return;
  }
}

async function workOn(message: JsMsg, options: HandOptions, stop: AbortSignal, signal: AbortSignal): Promise<void> {
  const { job } = options;
  const shard = parseShard(message.data);
  const { deliveryCount } = message.info;
  if (deliveryCount > 1 && shard.objects.length > 1) {
    // One object in it may have ended its worker: alone, it cannot take the others with it.
    await splitUp(job, shard, message.seq);
    await message.ackAck();
    return;
  }
  const heartbeat = setInterval(() => message.working(), job.timing.ackWaitMs / HEARTBEATS_PER_ACK_WAIT);
  const finish = () => finishShard(shard, deliveryCount, options, stop, signal);
  try {
    const whole = await (deliveryCount < SUSPECT_DELIVERIES
      ? options.quarantine.together(finish)
      : options.quarantine.alone(finish));
    if (whole) await message.ackAck();
    else message.nak();
  } finally {
    clearInterval(heartbeat);
  }
}

/** @returns false where it was stopped before the end */
async function finishShard(
  { objects }: Shard,
  deliveries: number,
  options: HandOptions,
  stop: AbortSignal,
  signal: AbortSignal,
): Promise<boolean> {
  const { job, counter, onProgress } = options;
  const listing = await job.listing();
  if (listing.done) counter.setTotal(listing.objects, listing.bytes);
  for (const listed of objects) {
    if (stop.aborted) return false;
    const outcome =
      deliveries > MAX_DELIVERIES
        ? await buried(options, listed, deliveries)
        : await settleListed(options, listed, signal);
    counter.add(listed.size, outcome);
    onProgress(counter.get());
  }
  return true;
}

async function splitUp(job: SharedJob, { objects }: Shard, sequence: number): Promise<void> {
  for (const [i, object] of objects.entries()) {
    // The queue's bound is for the listing; what is in it already must not be lost for want of room.
    if (!(await job.enqueue({ objects: [object] }, `split:${sequence}:${i}`)))
      throw new Error('the work queue is full: the shard stays in it as it is');
  }
}

async function buried({ journal }: WorkerOptions, { key, etag }: Shard['objects'][number], deliveries: number) {
  const outcome = { kind: 'failed', message: `dead letter: ${deliveries} workers took it and ended` } as const;
  await journal.put({ state: 'done', key, listedEtag: etag, settings: '', outcome });
  return outcome;
}
