/**
 * A cache of one byte budget and two formats: an image tier of finished PNGs and a latent tier of compressed latents,
 * and a border between them that moves to where a byte is worth most.
 *
 * An object lives in exactly one tier. It enters the latent tier with no hits; each latent hit counts one, and from the
 * `promotionHits`-th on a lookup asks the caller to promote: to decode the latent and hand the image to `promote`,
 * which moves the object in one step. What is evicted from the image tier falls back to the latent tier (`demotion`).
 *
 * Pure: no I/O, no clock. What an entry weighs and what a decode and a fetch took is said by the caller. This class
 * keeps keys and payloads; all decisions are `TieredIndex`'s, which the simulator drives without them.
 */
import { hashKey } from './key-hash.js';
import { PLACE } from './slot-table.js';
import { ACCESS, type TierEvents } from './tier-pair.js';
import { TieredIndex, type TieredIndexOptions } from './tiered-index.js';

/**
 * What an entry needs in memory beside its payload's bytes: key, head and facts, buffer object, bookkeeping. Measured on
 * Node 20 with heads like the gateway's: 1.75 KB of heap, and the resident set stays within 3 % of what is counted.
 */
export const ENTRY_OVERHEAD_BYTES = 2048;

export interface CacheEntry<Payload> {
  readonly payload: Payload;
  /** Bytes of the payload as it lies in memory, without the entry's overhead. */
  readonly bytes: number;
}

export type Lookup<Image, Latent> =
  | { readonly tier: 'image'; readonly payload: Image }
  | { readonly tier: 'latent'; readonly payload: Latent; readonly promote: boolean }
  /** `admitTo`: the tier that the object is to enter once it is fetched. */
  | { readonly tier: 'none'; readonly admitTo: CacheTier };

export type CacheTier = 'image' | 'latent';

export type DualFormatCacheOptions = TieredIndexOptions;

export interface CacheStatistics {
  readonly capacityBytes: number;
  /** Share of the image tier, 0..1. */
  readonly alpha: number;
  readonly imageBytes: number;
  readonly latentBytes: number;
  readonly imageEntries: number;
  readonly latentEntries: number;
  readonly imageHits: number;
  readonly latentHits: number;
  readonly misses: number;
  /** Hits in the part of a tier that a smaller one would have lost; SIEVE has no such part. */
  readonly imageTailHits: number;
  readonly latentTailHits: number;
  readonly promotions: number;
  /** Objects that fell back from the image tier with their latent. */
  readonly demotions: number;
  readonly imageEvictions: number;
  readonly latentEvictions: number;
  /** Decisions about the border. */
  readonly windows: number;
  /** Which way the border should go, -1..1; over 0 the image tier should grow. */
  readonly gradient: number;
  /** Moving averages, in milliseconds. */
  readonly decodeMs: number;
  readonly fetchMs: number;
}

/** What the gateway needs of a cache, whatever moves the border. */
export interface ObjectCache<Image, Latent> {
  lookup(key: string): Lookup<Image, Latent>;
  /** What is there, without counting as a request or changing the order of eviction. */
  peek(key: string): Image | Latent | undefined;
  insertLatent(key: string, entry: CacheEntry<Latent>): void;
  /**
   * Puts the object into the image tier and out of the latent tier.
   *
   * @param latent what the image was made from, for the day when the image is evicted
   */
  promote(key: string, image: CacheEntry<Image>, latent?: CacheEntry<Latent>): void;
  delete(key: string): void;
  /** What a decode took from the queue to the finished PNG, in milliseconds. */
  observeDecode(ms: number): void;
  /** What a fetch from the backing store took, in milliseconds. */
  observeFetch(ms: number): void;
  /** Whom to tell of evicted images whose latent should be fetched again and put into the latent tier. */
  onLatentWanted(listener: (key: string, image: Image) => void): void;
  statistics(): CacheStatistics;
}

export class DualFormatCache<Image, Latent> implements ObjectCache<Image, Latent> {
  readonly #options: DualFormatCacheOptions;
  readonly #index: TieredIndex;
  readonly #slots = new Map<string, number>();
  readonly #keys: (string | undefined)[] = [];
  readonly #images: (Image | undefined)[] = [];
  readonly #latents: (Latent | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #wanted: { readonly key: string; readonly image: Image }[] = [];
  #tellWanted: ((key: string, image: Image) => void) | undefined;

  /** @throws RangeError where an option is out of its bounds */
  constructor(options: DualFormatCacheOptions) {
    this.#options = options;
    const events: TierEvents = {
      demoted: (slot) => (this.#images[slot] = undefined),
      latentDropped: (slot) => (this.#latents[slot] = undefined),
      evicted: (slot) => this.#free(slot),
      latentWanted: (slot) => {
        const key = this.#keys[slot];
        const image = this.#images[slot];
        if (this.#tellWanted && key !== undefined && image !== undefined) this.#wanted.push({ key, image });
      },
    };
    this.#index = new TieredIndex(options, events);
  }

  lookup(key: string): Lookup<Image, Latent> {
    const slot = this.#slots.get(key);
    const hash = hashKey(key);
    if (slot === undefined) {
      this.#index.accessUnknown(hash);
      this.#flushWanted();
      return this.#miss();
    }
    // Read first: the access may end a window, and what follows may evict this very entry.
    const image = this.#images[slot];
    const latent = this.#latents[slot];
    const access = this.#index.access(slot, hash);
    this.#flushWanted();
    if (access === ACCESS.image && image !== undefined) return { tier: 'image', payload: image };
    if (access !== ACCESS.miss && latent !== undefined)
      return { tier: 'latent', payload: latent, promote: access === ACCESS.latentPromote };
    return this.#miss();
  }

  peek(key: string): Image | Latent | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : (this.#images[slot] ?? this.#latents[slot]);
  }

  insertLatent(key: string, { payload, bytes }: CacheEntry<Latent>): void {
    const slot = this.#slotOf(key);
    this.#images[slot] = undefined;
    this.#latents[slot] = payload;
    this.#index.insertLatent(slot, hashKey(key), bytes);
    this.#flushWanted();
  }

  promote(key: string, image: CacheEntry<Image>, latent?: CacheEntry<Latent>): void {
    const slot = this.#slotOf(key);
    const before = { image: this.#images[slot], latent: this.#latents[slot] };
    // In place first: the object may be demoted, or evicted again, before `insertImage` returns.
    this.#images[slot] = image.payload;
    this.#latents[slot] = latent?.payload;
    if (!this.#index.insertImage(slot, hashKey(key), image.bytes, latent?.bytes ?? 0)) {
      this.#images[slot] = before.image;
      this.#latents[slot] = before.latent;
      if (this.#index.placeOf(slot) === PLACE.nowhere) this.#free(slot);
    } else if (this.#index.placeOf(slot) === PLACE.image) {
      this.#latents[slot] = undefined;
    }
    this.#flushWanted();
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#index.remove(slot, hashKey(key));
    this.#free(slot);
  }

  observeDecode(ms: number): void {
    this.#index.observeDecode(ms);
  }

  observeFetch(ms: number): void {
    this.#index.observeFetch(ms);
  }

  onLatentWanted(listener: (key: string, image: Image) => void): void {
    this.#tellWanted = listener;
  }

  statistics(): CacheStatistics {
    const index = this.#index;
    const { tiers, counters } = index;
    return {
      capacityBytes: this.#options.capacityBytes,
      alpha: index.alpha,
      imageBytes: tiers.imageBytes,
      latentBytes: tiers.latentBytes,
      imageEntries: tiers.imageEntries,
      latentEntries: tiers.latentEntries,
      imageHits: counters.imageHits,
      latentHits: counters.latentHits,
      misses: counters.misses,
      imageTailHits: counters.imageTailHits,
      latentTailHits: counters.latentTailHits,
      promotions: counters.promotions,
      demotions: counters.demotions,
      imageEvictions: counters.imageEvictions,
      latentEvictions: counters.latentEvictions,
      windows: index.windows,
      gradient: index.gradient,
      decodeMs: index.decodeMs,
      fetchMs: index.fetchMs,
    };
  }

  #miss(): Lookup<Image, Latent> {
    return { tier: 'none', admitTo: this.#index.firstTier };
  }

  #slotOf(key: string): number {
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.#freeSlots.pop() ?? this.#keys.length;
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
    this.#index.reserve(slot + 1);
    return slot;
  }

  #free(slot: number): void {
    const key = this.#keys[slot];
    if (key === undefined) return;
    this.#slots.delete(key);
    this.#keys[slot] = undefined;
    this.#images[slot] = undefined;
    this.#latents[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  /** Listeners may call the cache, so they run when the change that caused them is over. */
  #flushWanted(): void {
    if (this.#wanted.length === 0) return;
    const wanted = this.#wanted;
    this.#wanted = [];
    for (const { key, image } of wanted) this.#tellWanted?.(key, image);
  }
}
