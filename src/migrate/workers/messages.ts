/** What workers tell each other through NATS; nothing is believed before it is parsed. */
import { z } from 'zod';
import type { ListedObject } from '../../../s3-api/index.js';
import type { JournalEntry } from '../journal.js';

/** A shard of the listing: what one worker takes at a time. */
export interface Shard {
  readonly objects: readonly Pick<ListedObject, 'key' | 'etag' | 'size'>[];
}

/** How far the listing is. */
export interface ListingState {
  /** Counts starts of a finished job anew. */
  readonly round: number;
  readonly done: boolean;
  /** The last key that is in a shard. */
  readonly startAfter?: string;
  readonly shards: number;
  readonly objects: number;
  readonly bytes: number;
}

const count = z.number().int().nonnegative();
const shard = z.object({
  objects: z.array(z.object({ key: z.string().min(1), etag: z.string(), size: count })).min(1),
});
const listing = z.object({
  round: count,
  done: z.boolean(),
  startAfter: z.string().exactOptional(),
  shards: count,
  objects: count,
  bytes: count,
});

const timings = z.object({ fetch: z.number(), convert: z.number(), write: z.number(), verify: z.number() });
const converted = z.object({
  kind: z.literal('converted'),
  model: z.string(),
  bytesBefore: count,
  bytesAfter: count,
  psnr: z.number().nullable(),
  ssim: z.number(),
  sidecar: z.string().exactOptional(),
  timings,
});
const outcome = z.discriminatedUnion('kind', [
  converted,
  z.object({
    kind: z.literal('verbatim'),
    reason: z.string(),
    detail: z.string(),
    bytes: count,
    psnr: z.number().exactOptional(),
    timings,
  }),
  z.object({ kind: z.literal('already-latent'), bytes: count }),
  z.object({ kind: z.literal('restored'), bytesBefore: count, bytesAfter: count, fromOriginal: z.boolean() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
  z.object({ kind: z.literal('changed') }),
]);
const entry = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('replacing'),
    key: z.string(),
    sourceEtag: z.string(),
    containerSha256: z.string(),
    contentId: z.string(),
    originalKey: z.string().exactOptional(),
    outcome: converted,
  }),
  z.object({ state: z.literal('done'), key: z.string(), listedEtag: z.string(), settings: z.string(), outcome }),
]);

/** @throws ZodError, SyntaxError for what no worker of this version wrote */
export function parseShard(bytes: Uint8Array): Shard {
  return shard.parse(parseJson(bytes));
}

/** @throws ZodError, SyntaxError */
export function parseListingState(bytes: Uint8Array): ListingState {
  return listing.parse(parseJson(bytes));
}

/** @throws ZodError, SyntaxError */
export function parseJournalEntry(bytes: Uint8Array): JournalEntry {
  return entry.parse(parseJson(bytes));
}

export function message(value: Shard | ListingState | JournalEntry): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}
