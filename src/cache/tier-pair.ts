/**
 * The two tiers of a cache, over slot numbers, without keys or payloads: which objects they hold, what leaves next, what
 * becomes of an evicted image. Where the border lies is told from outside.
 *
 * An object is in one tier at most. The sum of both tiers never exceeds the budget; after a move of the border the tier
 * that lost gives its surplus up over the following operations, a few entries each, and at once where the other one
 * needs the bytes.
 */
import { LruTier } from './lru-tier.js';
import { SieveTier } from './sieve-tier.js';
import { NONE } from './slot-list.js';
import { PLACE, SlotTable } from './slot-table.js';
import type { EvictionPolicy, Tier } from './tier.js';

/** What becomes of an object whose image is evicted. */
export type Demotion =
  /** It leaves the cache: the published scheme. */
  | 'none'
  /** The image's entry keeps the latent and pays for its bytes; the object falls back to the latent tier. */
  | 'carry'
  /**
   * The entry keeps the latent until the image's first hit. Most evictions are of images that never had one, and fall
   * back for nothing; for the few others the owner is asked to bring the latent back in the background.
   */
  | 'carry-until-hit';

export interface TierPairOptions {
  /** Budget of both tiers together, in bytes; 0 keeps nothing. */
  readonly capacityBytes: number;
  /** Share of the image tier, 0..1. */
  readonly alpha: number;
  /** Latent hits from which on an access asks for promotion; at least 1. */
  readonly promotionHits: number;
  readonly imageEviction: EvictionPolicy;
  readonly demotion: Demotion;
  /** Share of an LRU tier that counts as its tail, 0..0.5. */
  readonly tail: number;
  /** What an entry weighs beside its payload, in bytes. */
  readonly entryOverheadBytes: number;
}

/** What an access found. */
export const ACCESS = { miss: 0, latent: 1, latentPromote: 2, image: 3 } as const;
export type Access = (typeof ACCESS)[keyof typeof ACCESS];

/** Told of what leaves; must not call the tiers. */
export interface TierEvents {
  /** The slot's image is gone; the latent that it carried is now an entry of the latent tier. */
  demoted(slot: number): void;
  /** The slot's image stays, the latent that it carried is gone. */
  latentDropped(slot: number): void;
  /** Nothing of the slot is held any more; it may be used for another object. */
  evicted(slot: number): void;
  /** The slot's image was evicted without its latent, which would be welcome in the latent tier. Precedes `evicted`. */
  latentWanted(slot: number): void;
}

/** Running totals; a window is the difference of two of them. */
export class Counters {
  requests = 0;
  imageHits = 0;
  latentHits = 0;
  misses = 0;
  imageTailHits = 0;
  latentTailHits = 0;
  promotions = 0;
  demotions = 0;
  imageEvictions = 0;
  latentEvictions = 0;

  assign(other: Readonly<Counters>): void {
    Object.assign(this, other);
  }
}

/** Entries that one operation evicts at most beyond those that it replaces. */
const MAX_EXTRA_EVICTIONS = 8;
const MAX_HITS = 0xffff;
const MAX_WEIGHT = 0xffffffff;

export class TierPair {
  readonly #options: TierPairOptions;
  readonly #events: TierEvents;
  readonly #table = new SlotTable();
  readonly #images: Tier;
  readonly #latents: LruTier;
  #capacityBytes: number;
  #alpha: number;
  readonly #counters = new Counters();

  /** @throws RangeError where an option is out of its bounds */
  constructor(options: TierPairOptions, events: TierEvents) {
    check(options);
    this.#options = options;
    this.#events = events;
    this.#images =
      options.imageEviction === 'sieve' ? new SieveTier(this.#table) : new LruTier(this.#table, options.tail);
    this.#latents = new LruTier(this.#table, options.tail);
    this.#capacityBytes = options.capacityBytes;
    this.#alpha = options.alpha;
    this.setBorder(options.capacityBytes, options.alpha);
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }
  get alpha(): number {
    return this.#alpha;
  }
  get imageBytes(): number {
    return this.#images.bytes;
  }
  get latentBytes(): number {
    return this.#latents.bytes;
  }
  get imageEntries(): number {
    return this.#images.entries;
  }
  get latentEntries(): number {
    return this.#latents.entries;
  }
  /** Counts since the start; the same object each time. */
  get counters(): Readonly<Counters> {
    return this.#counters;
  }

  /** Moves the border, and may change the budget; what is over it leaves with the next operations. */
  setBorder(capacityBytes: number, alpha: number): void {
    this.#capacityBytes = capacityBytes;
    this.#alpha = alpha;
    const imageTarget = Math.floor(capacityBytes * alpha);
    this.#images.setTarget(imageTarget);
    this.#latents.setTarget(capacityBytes - imageTarget);
  }

  /** Makes room for slots below `slots`, which may then be used. */
  reserve(slots: number): void {
    this.#table.reserve(slots);
  }

  /** Which tier holds the slot now, one of `PLACE`. Counts as no access. */
  placeOf(slot: number): number {
    return this.#table.place[slot] ?? PLACE.nowhere;
  }

  /** A request for an object that has no slot. */
  accessUnknown(): void {
    this.#counters.requests += 1;
    this.#counters.misses += 1;
    this.#settle();
  }

  /** A request for the slot's object. */
  access(slot: number): Access {
    const counters = this.#counters;
    counters.requests += 1;
    const place = this.placeOf(slot);
    let found: Access;
    if (place === PLACE.latent) {
      counters.latentHits += 1;
      if (this.#latents.touch(slot)) counters.latentTailHits += 1;
      const hits = Math.min(MAX_HITS, (this.#table.hits[slot] ?? 0) + 1);
      this.#table.hits[slot] = hits;
      found = hits >= this.#options.promotionHits ? ACCESS.latentPromote : ACCESS.latent;
    } else if (place === PLACE.nowhere) {
      counters.misses += 1;
      found = ACCESS.miss;
    } else {
      counters.imageHits += 1;
      if (this.#images.touch(slot)) counters.imageTailHits += 1;
      if (place === PLACE.imageWithLatent && this.#options.demotion === 'carry-until-hit') this.#dropCarried(slot);
      found = ACCESS.image;
    }
    this.#settle();
    return found;
  }

  /**
   * Puts the object into the latent tier, with no hits, and out of the image tier.
   *
   * @returns false where it can never fit; nothing of the object is held then, and `evicted` was told so
   */
  insertLatent(slot: number, latentBytes: number): boolean {
    this.remove(slot);
    this.#table.latentBytes[slot] = latentBytes;
    const weight = this.#latentWeight(latentBytes);
    if (weight > this.#latents.targetBytes || weight > MAX_WEIGHT) {
      this.#events.evicted(slot);
      return false;
    }
    this.#makeLatentRoom(weight);
    this.#makeTotalRoom(weight);
    this.#enterLatents(slot, weight);
    this.#settle();
    return true;
  }

  /**
   * Puts the object into the image tier and out of the latent tier.
   *
   * @param latentBytes of its latent, which demotion keeps; 0 where there is none at hand
   * @returns false where the image can never fit; what was held before stays then
   */
  insertImage(slot: number, imageBytes: number, latentBytes: number): boolean {
    const carried = this.#options.demotion === 'none' ? 0 : latentBytes;
    const weight = imageBytes + carried + this.#options.entryOverheadBytes;
    // An image that can never fit must not cost the object its place in the latent tier.
    if (weight > this.#images.targetBytes || weight > MAX_WEIGHT) return false;
    this.remove(slot);
    this.#table.latentBytes[slot] = latentBytes;
    this.#makeImageRoom(weight);
    this.#makeTotalRoom(weight);
    this.#table.place[slot] = carried > 0 ? PLACE.imageWithLatent : PLACE.image;
    this.#images.insert(slot, weight);
    this.#counters.promotions += 1;
    this.#settle();
    return true;
  }

  /** Forgets the object: its content has changed or is gone. The slot may be used for another one. */
  remove(slot: number): void {
    const place = this.placeOf(slot);
    if (place === PLACE.nowhere) return;
    if (place === PLACE.latent) this.#latents.remove(slot);
    else this.#images.remove(slot);
    this.#table.place[slot] = PLACE.nowhere;
  }

  #latentWeight(latentBytes: number): number {
    return latentBytes + this.#options.entryOverheadBytes;
  }

  #enterLatents(slot: number, weight: number): void {
    this.#table.place[slot] = PLACE.latent;
    this.#table.hits[slot] = 0;
    this.#latents.insert(slot, weight);
  }

  /** An image that was asked for again is not the next to go: the bytes of its latent are better used elsewhere. */
  #dropCarried(slot: number): void {
    this.#table.place[slot] = PLACE.image;
    this.#images.reweigh(slot, (this.#table.weight[slot] ?? 0) - (this.#table.latentBytes[slot] ?? 0));
    this.#events.latentDropped(slot);
  }

  #makeImageRoom(weight: number): void {
    let freed = 0;
    let extra = 0;
    while (this.#images.bytes + weight > this.#images.targetBytes) {
      if (freed >= weight && ++extra > MAX_EXTRA_EVICTIONS) return;
      const before = this.#images.bytes;
      this.#evictImage();
      freed += before - this.#images.bytes;
    }
  }

  #makeLatentRoom(weight: number): void {
    let freed = 0;
    let extra = 0;
    while (this.#latents.bytes + weight > this.#latents.targetBytes) {
      if (freed >= weight && ++extra > MAX_EXTRA_EVICTIONS) return;
      const before = this.#latents.bytes;
      this.#evictLatent();
      freed += before - this.#latents.bytes;
    }
  }

  /** The tier that the border has moved against may still hold what the other one may use by now. */
  #makeTotalRoom(weight: number): void {
    while (this.#images.bytes + this.#latents.bytes + weight > this.#capacityBytes) {
      if (this.#latents.entries > 0 && this.#latents.bytes > this.#latents.targetBytes - weight) this.#evictLatent();
      else if (this.#images.entries > 0) this.#evictImage();
      else if (this.#latents.entries > 0) this.#evictLatent();
      else return;
    }
  }

  /** Gives up a little of what a move of the border has made surplus. */
  #settle(): void {
    for (let n = 0; n < MAX_EXTRA_EVICTIONS && this.#images.bytes > this.#images.targetBytes; n += 1)
      this.#evictImage();
    for (let n = 0; n < MAX_EXTRA_EVICTIONS && this.#latents.bytes > this.#latents.targetBytes; n += 1)
      this.#evictLatent();
  }

  #evictImage(): void {
    const slot = this.#images.evict();
    if (slot === NONE) return;
    this.#counters.imageEvictions += 1;
    const carriedLatent = this.placeOf(slot) === PLACE.imageWithLatent;
    this.#table.place[slot] = PLACE.nowhere;
    const weight = this.#latentWeight(this.#table.latentBytes[slot] ?? 0);
    if (weight <= this.#latents.targetBytes) {
      if (carriedLatent) {
        this.#counters.demotions += 1;
        this.#makeLatentRoom(weight);
        this.#enterLatents(slot, weight);
        this.#events.demoted(slot);
        return;
      }
      if (this.#options.demotion === 'carry-until-hit') this.#events.latentWanted(slot);
    }
    this.#events.evicted(slot);
  }

  #evictLatent(): void {
    const slot = this.#latents.evict();
    if (slot === NONE) return;
    this.#counters.latentEvictions += 1;
    this.#table.place[slot] = PLACE.nowhere;
    this.#events.evicted(slot);
  }
}

function check({ capacityBytes, alpha, promotionHits, tail }: TierPairOptions): void {
  if (!(capacityBytes >= 0)) throw new RangeError('capacityBytes must be at least 0');
  if (!(alpha >= 0 && alpha <= 1)) throw new RangeError('alpha must be from 0 to 1');
  if (!(Number.isInteger(promotionHits) && promotionHits >= 1))
    throw new RangeError('promotionHits must be a whole number of at least 1');
  if (!(tail >= 0 && tail <= 0.5)) throw new RangeError('tail must be from 0 to 0.5');
}
