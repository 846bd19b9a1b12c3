/**
 * A cache of one byte budget and two formats: an image tier of finished PNGs and a latent tier of compressed latents.
 *
 * An object lives in exactly one tier. It enters the latent tier with no hits; each latent hit counts one, and from the
 * `promotionHits`-th on a lookup asks the caller to promote: to decode the latent and hand the image to `promote`,
 * which moves the object in one step. Each tier evicts its least recently used entries when it is over its budget.
 *
 * Pure: no I/O, no clock. What an entry weighs is said by the caller, in bytes.
 */
import { LRUCache } from 'lru-cache';

/** What lru-cache and our entry objects need beside the payload, measured on Node 20 (bench/cache/bookkeeping). */
export const ENTRY_OVERHEAD_BYTES = 400;

export interface CacheEntry<Payload> {
  readonly payload: Payload;
  /** Bytes of the payload as it lies in memory, without `ENTRY_OVERHEAD_BYTES`. */
  readonly bytes: number;
}

export type Lookup<Image, Latent> =
  | { readonly tier: 'image'; readonly payload: Image }
  | { readonly tier: 'latent'; readonly payload: Latent; readonly promote: boolean }
  | { readonly tier: 'none' };

export type CacheTier = 'image' | 'latent';

export interface DualFormatCacheOptions {
  /** Budget of both tiers together, in bytes; 0 keeps nothing. */
  readonly capacityBytes: number;
  /** Share of the image tier, 0..1. */
  readonly alpha: number;
  /** Latent hits from which on a lookup asks for promotion; at least 1. */
  readonly promotionHits: number;
}

export interface CacheStatistics {
  readonly capacityBytes: number;
  readonly alpha: number;
  readonly imageBytes: number;
  readonly latentBytes: number;
  readonly imageEntries: number;
  readonly latentEntries: number;
  readonly imageHits: number;
  readonly latentHits: number;
  readonly misses: number;
  readonly promotions: number;
  readonly imageEvictions: number;
  readonly latentEvictions: number;
}

interface LatentEntry<Latent> {
  readonly payload: Latent;
  readonly weight: number;
  hits: number;
}

interface ImageEntry<Image> {
  readonly payload: Image;
  readonly weight: number;
}

/** What the gateway needs of a cache, whatever moves the border. */
export interface ObjectCache<Image, Latent> {
  lookup(key: string): Lookup<Image, Latent>;
  /** What is there, without counting as a request or changing the order of eviction. */
  peek(key: string): Image | Latent | undefined;
  insertLatent(key: string, entry: CacheEntry<Latent>): void;
  /** Puts the object into the image tier and out of the latent tier. */
  promote(key: string, entry: CacheEntry<Image>): void;
  delete(key: string): void;
  statistics(): CacheStatistics;
}

export class DualFormatCache<Image, Latent> implements ObjectCache<Image, Latent> {
  readonly #options: DualFormatCacheOptions;
  readonly #images: Tier<ImageEntry<Image>>;
  readonly #latents: Tier<LatentEntry<Latent>>;
  #imageHits = 0;
  #latentHits = 0;
  #misses = 0;
  #promotions = 0;

  /** @throws RangeError where an option is out of its bounds */
  constructor(options: DualFormatCacheOptions) {
    const { capacityBytes, alpha, promotionHits } = options;
    if (!(capacityBytes >= 0)) throw new RangeError('capacityBytes must be at least 0');
    if (!(alpha >= 0 && alpha <= 1)) throw new RangeError('alpha must be from 0 to 1');
    if (!(Number.isInteger(promotionHits) && promotionHits >= 1))
      throw new RangeError('promotionHits must be a whole number of at least 1');
    this.#options = options;
    this.#images = new Tier(Math.floor(capacityBytes * alpha));
    this.#latents = new Tier(capacityBytes - Math.floor(capacityBytes * alpha));
  }

  lookup(key: string): Lookup<Image, Latent> {
    const image = this.#images.get(key);
    if (image) {
      this.#imageHits += 1;
      return { tier: 'image', payload: image.payload };
    }
    const latent = this.#latents.get(key);
    if (latent) {
      this.#latentHits += 1;
      latent.hits += 1;
      return { tier: 'latent', payload: latent.payload, promote: latent.hits >= this.#options.promotionHits };
    }
    this.#misses += 1;
    return { tier: 'none' };
  }

  peek(key: string): Image | Latent | undefined {
    return this.#images.peek(key)?.payload ?? this.#latents.peek(key)?.payload;
  }

  insertLatent(key: string, { payload, bytes }: CacheEntry<Latent>): void {
    this.#images.delete(key);
    this.#latents.set(key, { payload, weight: bytes + ENTRY_OVERHEAD_BYTES, hits: 0 });
  }

  promote(key: string, { payload, bytes }: CacheEntry<Image>): void {
    const weight = bytes + ENTRY_OVERHEAD_BYTES;
    // An image that can never fit must not cost the object its place in the latent tier.
    if (weight > this.#images.capacityBytes) return;
    this.#latents.delete(key);
    this.#images.set(key, { payload, weight });
    this.#promotions += 1;
  }

  delete(key: string): void {
    this.#images.delete(key);
    this.#latents.delete(key);
  }

  statistics(): CacheStatistics {
    return {
      capacityBytes: this.#options.capacityBytes,
      alpha: this.#options.alpha,
      imageBytes: this.#images.bytes,
      latentBytes: this.#latents.bytes,
      imageEntries: this.#images.entries,
      latentEntries: this.#latents.entries,
      imageHits: this.#imageHits,
      latentHits: this.#latentHits,
      misses: this.#misses,
      promotions: this.#promotions,
      imageEvictions: this.#images.evictions,
      latentEvictions: this.#latents.evictions,
    };
  }
}

/** An LRU of a byte budget that may be zero, which lru-cache takes for "no bound". */
class Tier<Entry extends { readonly weight: number }> {
  readonly #lru: LRUCache<string, Entry> | undefined;
  #evictions = 0;

  constructor(readonly capacityBytes: number) {
    if (capacityBytes > 0) {
      this.#lru = new LRUCache<string, Entry>({
        maxSize: capacityBytes,
        sizeCalculation: (entry) => entry.weight,
        dispose: (_entry, _key, reason) => {
          if (reason === 'evict') this.#evictions += 1;
        },
      });
    }
  }

  get bytes(): number {
    return this.#lru?.calculatedSize ?? 0;
  }
  get entries(): number {
    return this.#lru?.size ?? 0;
  }
  get evictions(): number {
    return this.#evictions;
  }
  get(key: string): Entry | undefined {
    return this.#lru?.get(key);
  }
  peek(key: string): Entry | undefined {
    return this.#lru?.peek(key);
  }
  set(key: string, entry: Entry): void {
    this.#lru?.set(key, entry);
  }
  delete(key: string): void {
    this.#lru?.delete(key);
  }
}
