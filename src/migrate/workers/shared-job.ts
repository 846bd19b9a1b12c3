/** What the workers of one migration share in NATS: a work queue of shards, a journal, the state of the listing, a lease on it. */
import {
  jetstream,
  jetstreamManager,
  AckPolicy,
  DiscardPolicy,
  RetentionPolicy,
  type Consumer,
  type JetStreamClient,
} from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Journal } from '../journal.js';
import { message, parseListingState, type ListingState, type Shard } from './messages.js';
import { NatsJournal } from './nats-journal.js';

const NS_PER_MS = 1_000_000;
export interface JobTiming {
  /** A shard whose worker has not been heard of for so long is given to another one; milliseconds. */
  readonly ackWaitMs: number;
  /** The listing is taken over from a worker that has not renewed its lease for so long; milliseconds. */
  readonly leaseMs: number;
}

export const DEFAULT_TIMING: JobTiming = { ackWaitMs: 30_000, leaseMs: 10_000 };
/** Shards that wait for workers: the listing waits while there are more, so that the queue stays small. */
const MAX_QUEUED_SHARDS = 1000;
const CONSUMER = 'workers';
const LISTING_KEY = 'listing';
const LEASE_KEY = 'lister';
/** What a stream answers when it is full. @see https://docs.nats.io/nats-concepts/jetstream/streams#configuration */
const QUEUE_FULL = 'maximum messages exceeded';

export const NO_LISTING: ListingState = { round: 0, done: false, shards: 0, objects: 0, bytes: 0 };

export class SharedJob {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly stream: string,
    private readonly subject: string,
    private readonly client: JetStreamClient,
    private readonly state: KV,
    private readonly lease: KV,
    private readonly consumer: Consumer,
    readonly journal: Journal,
    readonly timing: JobTiming,
  ) {}

  /**
   * @param servers `nats://…`, of a server with JetStream
   * @throws NatsError where none answers
   */
  static async open(servers: string, job: string, timing = DEFAULT_TIMING): Promise<SharedJob> {
    const connection = await connect({ servers: servers.split(','), name: 'latentbox migrate' });
    try {
      const stream = `LATENTBOX_MIGRATE_${job}`;
      const subject = `latentbox.migrate.${job}.shards`;
      const manager = await jetstreamManager(connection);
      const limits = { max_msgs: MAX_QUEUED_SHARDS, discard: DiscardPolicy.New };
      await manager.streams.add({ name: stream, subjects: [subject], retention: RetentionPolicy.Workqueue, ...limits });
      await manager.consumers.add(stream, {
        durable_name: CONSUMER,
        ack_policy: AckPolicy.Explicit,
        ack_wait: timing.ackWaitMs * NS_PER_MS,
      });
      const client = jetstream(connection);
      const kvm = new Kvm(client);
      const entries = await kvm.create(`latentbox-migrate-${job}`, { history: 1 });
      const state = await kvm.create(`latentbox-migrate-${job}-state`, { history: 1 });
      const lease = await kvm.create(`latentbox-migrate-${job}-lease`, { history: 1, ttl: timing.leaseMs });
      const consumer = await client.consumers.get(stream, CONSUMER);
      return new SharedJob(
        connection,
        stream,
        subject,
        client,
        state,
        lease,
        consumer,
        new NatsJournal(entries),
        timing,
      );
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async listing(): Promise<ListingState> {
    const entry = await this.state.get(LISTING_KEY);
    return entry?.operation === 'PUT' ? parseListingState(entry.value) : NO_LISTING;
  }

  async recordListing(listing: ListingState): Promise<void> {
    await this.state.put(LISTING_KEY, message(listing));
  }

  /** The revision to renew the lease with; undefined where another worker holds it. */
  async takeLease(worker: string): Promise<number | undefined> {
    try {
      return await this.lease.create(LEASE_KEY, worker);
    } catch {
      return undefined;
    }
  }

  /** @throws JetStreamApiError where another worker took the lease over */
  renewLease(worker: string, revision: number): Promise<number> {
    return this.lease.update(LEASE_KEY, worker, revision);
  }

  async giveLeaseBack(): Promise<void> {
    await this.lease.purge(LEASE_KEY);
  }

  /**
   * Queues a shard; one of the same id that was queued in the last two minutes is not queued again.
   *
   * @returns false where the queue is full
   */
  async enqueue(shard: Shard, id: string): Promise<boolean> {
    try {
      await this.client.publish(this.subject, message(shard), { msgID: id });
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.includes(QUEUE_FULL)) return false;
      throw error;
    }
  }

  /** The next shard, or null where none came within `waitMs`. */
  next(waitMs: number): ReturnType<Consumer['next']> {
    return this.consumer.next({ expires: waitMs });
  }

  /** Shards that wait, and that workers have in work. */
  async outstanding(): Promise<number> {
    const manager = await jetstreamManager(this.connection);
    return (await manager.streams.info(this.stream)).state.messages;
  }

  async close(): Promise<void> {
    await this.connection.drain();
  }
}
