/**
 * Which objects a cache of two formats holds, what leaves next, and where the border between the formats lies: all
 * decisions of the dual-format cache over slot numbers, without keys or payloads. The gateway's cache and the simulator
 * drive this class.
 *
 * An object is in one tier at most. The sum of both tiers never exceeds the budget; after a move of the border the tier
 * that lost gives its surplus up over the following operations, a few entries each, and at once where the other one
 * needs the bytes.
 */
import { adaptiveRule, fixedStepRule, type BorderLimits, type BorderRule, type BorderWindow } from './border-rule.js';
import { GhostList } from './ghost-list.js';
import { LruTier } from './lru-tier.js';
import { SieveTier } from './sieve-tier.js';
import { NONE } from './slot-list.js';
import { ANY_GHOST, FLAG, PLACE, SlotTable } from './slot-table.js';
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

export interface TieredIndexOptions {
  /** Budget of both tiers together, in bytes; 0 keeps nothing. */
  readonly capacityBytes: number;
  /** First share of the image tier, 0..1. */
  readonly alpha: number;
  /** Latent hits from which on an access asks for promotion; at least 1. */
  readonly promotionHits: number;
  readonly imageEviction: EvictionPolicy;
  readonly demotion: Demotion;
  /** Moves the border; absent, it stays. */
  readonly border?: BorderOptions;
  /** Share of a tier that counts as its tail, and of the budget that ghosts stand for; 0..0.5. */
  readonly tail: number;
  /** What an entry weighs beside its payload, in bytes. */
  readonly entryOverheadBytes: number;
  /** Assumed until the first observation, in milliseconds. */
  readonly decodeMs: number;
  readonly fetchMs: number;
}

export interface BorderOptions {
  readonly rule: 'fixed-step' | 'adaptive';
  /** Requests between two decisions; `auto` follows the number of entries. */
  readonly window: number | 'auto';
  readonly minAlpha: number;
  readonly maxAlpha: number;
  readonly minStep: number;
  readonly maxStep: number;
}

/** What an access found. */
export const ACCESS = { miss: 0, latent: 1, latentPromote: 2, image: 3 } as const;
export type Access = (typeof ACCESS)[keyof typeof ACCESS];

/** Told of what leaves; must not call the index. */
export interface IndexEvents {
  /** The slot's image is gone; the latent that it carried is now an entry of the latent tier. */
  demoted(slot: number): void;
  /** The slot's image stays, the latent that it carried is gone. */
  latentDropped(slot: number): void;
  /** Nothing of the slot is held. `forgotten`: it may be used for another object. */
  evicted(slot: number, forgotten: boolean): void;
  /** A ghost has ended: the slot may be used for another object. */
  forgotten(slot: number): void;
  /** The slot's image was evicted without its latent, which would be welcome in the latent tier. Precedes `evicted`. */
  latentWanted(slot: number): void;
}

const RULES: Readonly<Record<BorderOptions['rule'], BorderRule>> = {
  'fixed-step': fixedStepRule,
  adaptive: adaptiveRule,
};

/** Entries that one operation evicts at most beyond those that it replaces. */
const MAX_EXTRA_EVICTIONS = 8;
/** Weight of a new observation in the moving averages of latency; the first ones count equally. */
const LATENCY_SMOOTHING = 0.02;
const SIZE_SMOOTHING = 0.02;
/** Average entries that each tier has room for wherever the border goes: what cannot enter a tier leaves no trace of its worth. */
const LEAST_ENTRIES = 4;
/** Bounds of the automatic window, and how often it lets an average entry be asked for. */
const MIN_WINDOW = 1000;
const MAX_WINDOW = 1_000_000;
const WINDOW_PER_ENTRY = 2;
const MAX_HITS = 0xffff;
const MAX_WEIGHT = 0xffffffff;

export class TieredIndex {
  readonly #options: TieredIndexOptions;
  readonly #events: IndexEvents;
  readonly #table = new SlotTable();
  readonly #images: Tier;
  readonly #latents: LruTier;
  readonly #imageGhosts: GhostList;
  readonly #latentGhosts: GhostList;
  readonly #rule: BorderRule | undefined;
  #alpha: number;
  #step = 0;
  #imageGain = 0;
  #latentGain = 0;
  #windows = 0;
  /** Moving averages of what entries weigh, in bytes. */
  #imageSize = 0;
  #latentSize = 0;
  #decodeMs: number;
  #fetchMs: number;
  #decodes = 0;
  #fetches = 0;
  #windowLeft: number;
  readonly #total = new Counters();
  /** Totals at the start of the window. */
  readonly #start = new Counters();

  /** @throws RangeError where an option is out of its bounds */
  constructor(options: TieredIndexOptions, events: IndexEvents) {
    check(options);
    this.#options = options;
    this.#events = events;
    this.#images =
      options.imageEviction === 'sieve' ? new SieveTier(this.#table) : new LruTier(this.#table, options.tail);
    this.#latents = new LruTier(this.#table, options.tail);
    const forgotten = (slot: number): void => this.#forgetGhost(slot);
    this.#imageGhosts = new GhostList(
      this.#table,
      this.#table.imageGhostLinks,
      FLAG.imageGhost,
      (slot) => this.#table.imageWeight[slot] ?? 0,
      forgotten,
    );
    this.#latentGhosts = new GhostList(
      this.#table,
      this.#table.latentGhostLinks,
      FLAG.latentGhost,
      (slot) => this.#latentWeight(this.#table.latentBytes[slot] ?? 0),
      forgotten,
    );
    this.#rule = options.border && options.capacityBytes > 0 ? RULES[options.border.rule] : undefined;
    this.#decodeMs = options.decodeMs;
    this.#fetchMs = options.fetchMs;
    this.#alpha = options.alpha;
    this.#applyAlpha();
    this.#windowLeft = this.#windowLength();
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
  /** Objects that are remembered without their bytes. */
  get ghostEntries(): number {
    return this.#imageGhosts.entries + this.#latentGhosts.entries;
  }
  get imageTargetBytes(): number {
    return this.#images.targetBytes;
  }
  get decodeMs(): number {
    return this.#decodeMs;
  }
  get fetchMs(): number {
    return this.#fetchMs;
  }
  /** Decisions so far. */
  get windows(): number {
    return this.#windows;
  }
  /** Relative difference of the tiers' gains per byte at the last decision, -1..1; over 0 the image tier should grow. */
  get gradient(): number {
    const sum = this.#imageGain + this.#latentGain;
    return sum === 0 ? 0 : (this.#imageGain - this.#latentGain) / sum;
  }
  /** The tier that a fetched object enters: the image tier only where the latent tier has no bytes at all. */
  get firstTier(): 'image' | 'latent' {
    return this.#alpha === 1 ? 'image' : 'latent';
  }
  /** Counts since the start; the same object each time. */
  get counters(): Readonly<Counters> {
    return this.#total;
  }

  /** Makes room for slots below `slots`, which may then be used. */
  reserve(slots: number): void {
    this.#table.reserve(slots);
  }

  /** Which tier holds the slot now, one of `PLACE`. Counts as no access. */
  placeOf(slot: number): number {
    return this.#table.place[slot] ?? PLACE.nowhere;
  }

  /** Whether the slot's image entry also keeps the latent. */
  carriesLatent(slot: number): boolean {
    return ((this.#table.flags[slot] ?? 0) & FLAG.carriesLatent) !== 0;
  }

  /** Whether the slot is remembered as one that left lately. */
  isGhost(slot: number): boolean {
    return ((this.#table.flags[slot] ?? 0) & ANY_GHOST) !== 0;
  }

  /** A request for an object that has no slot. */
  accessUnknown(): void {
    this.#total.requests += 1;
    this.#total.misses += 1;
    this.#endOfRequest();
  }

  /** A request for the slot's object. */
  access(slot: number): Access {
    const total = this.#total;
    total.requests += 1;
    const table = this.#table;
    const place = table.place[slot] ?? PLACE.nowhere;
    let found: Access;
    if (place === PLACE.image) {
      total.imageHits += 1;
      if (this.#images.touch(slot)) total.imageTailHits += 1;
      if (this.#options.demotion === 'carry-until-hit') this.#dropCarried(slot);
      found = ACCESS.image;
    } else if (place === PLACE.latent) {
      total.latentHits += 1;
      if (this.#latents.touch(slot)) total.latentTailHits += 1;
      if (this.#imageGhosts.has(slot)) total.imageGhostLatentHits += 1;
      const hits = Math.min(MAX_HITS, (table.hits[slot] ?? 0) + 1);
      table.hits[slot] = hits;
      found = hits >= this.#options.promotionHits ? ACCESS.latentPromote : ACCESS.latent;
    } else {
      total.misses += 1;
      const flags = table.flags[slot] ?? 0;
      if ((flags & FLAG.imageGhost) !== 0) total.imageGhostMisses += 1;
      if ((flags & FLAG.latentGhost) !== 0) total.latentGhostMisses += 1;
      found = ACCESS.miss;
    }
    this.#endOfRequest();
    return found;
  }

  /**
   * Puts the object into the latent tier, with no hits, and out of the image tier.
   *
   * @returns false where it can never fit; nothing of the object is held then
   */
  insertLatent(slot: number, latentBytes: number): boolean {
    this.#takeOut(slot);
    if (this.#latentGhosts.has(slot)) this.#latentGhosts.remove(slot);
    this.#table.latentBytes[slot] = latentBytes;
    const weight = this.#latentWeight(latentBytes);
    this.#latentSize += SIZE_SMOOTHING * (weight - this.#latentSize);
    if (weight > this.#latents.targetBytes || weight > MAX_WEIGHT) {
      this.#gone(slot);
      return false;
    }
    this.#enterLatents(slot, weight);
    this.#settle();
    return true;
  }

  /**
   * Puts the object into the image tier and out of the latent tier.
   *
   * @param latentBytes of its latent, which demotion `carry` keeps; 0 where there is none at hand
   * @returns false where the image can never fit; a latent stays where it is then
   */
  insertImage(slot: number, imageBytes: number, latentBytes: number): boolean {
    const carried = this.#options.demotion === 'none' ? 0 : latentBytes;
    const weight = imageBytes + carried + this.#options.entryOverheadBytes;
    this.#imageSize += SIZE_SMOOTHING * (weight - this.#imageSize);
    // An image that can never fit must not cost the object its place in the latent tier.
    if (weight > this.#images.targetBytes || weight > MAX_WEIGHT) return false;
    this.#takeOut(slot);
    if (this.#imageGhosts.has(slot)) this.#imageGhosts.remove(slot);
    if (this.#latentGhosts.has(slot)) this.#latentGhosts.remove(slot);
    this.#table.latentBytes[slot] = latentBytes;
    this.#makeImageRoom(weight);
    this.#makeTotalRoom(weight);
    this.#table.place[slot] = PLACE.image;
    if (carried > 0) this.#table.flags[slot] = (this.#table.flags[slot] ?? 0) | FLAG.carriesLatent;
    this.#images.insert(slot, weight);
    this.#total.promotions += 1;
    this.#settle();
    return true;
  }

  /** Forgets the object altogether: its content has changed or is gone. The slot may be used for another one. */
  remove(slot: number): void {
    this.#takeOut(slot);
    if (this.#imageGhosts.has(slot)) this.#imageGhosts.remove(slot);
    if (this.#latentGhosts.has(slot)) this.#latentGhosts.remove(slot);
    this.#table.hits[slot] = 0;
  }

  /** What a decode (queue, inference, PNG) took, in milliseconds. */
  observeDecode(ms: number): void {
    this.#decodes += 1;
    this.#decodeMs += Math.max(LATENCY_SMOOTHING, 1 / this.#decodes) * (ms - this.#decodeMs);
  }

  /** What a fetch from the backing store took, in milliseconds. */
  observeFetch(ms: number): void {
    this.#fetches += 1;
    this.#fetchMs += Math.max(LATENCY_SMOOTHING, 1 / this.#fetches) * (ms - this.#fetchMs);
  }

  #latentWeight(latentBytes: number): number {
    return latentBytes + this.#options.entryOverheadBytes;
  }

  #takeOut(slot: number): void {
    const place = this.#table.place[slot];
    if (place === PLACE.image) this.#images.remove(slot);
    else if (place === PLACE.latent) this.#latents.remove(slot);
    this.#table.place[slot] = PLACE.nowhere;
    this.#table.flags[slot] = (this.#table.flags[slot] ?? 0) & ~FLAG.carriesLatent;
  }

  /** An image that was asked for again is not the next to go: the bytes of its latent are better used elsewhere. */
  #dropCarried(slot: number): void {
    const flags = this.#table.flags[slot] ?? 0;
    if ((flags & FLAG.carriesLatent) === 0) return;
    this.#table.flags[slot] = flags & ~FLAG.carriesLatent;
    this.#images.reweigh(slot, (this.#table.weight[slot] ?? 0) - (this.#table.latentBytes[slot] ?? 0));
    this.#events.latentDropped(slot);
  }

  #enterLatents(slot: number, weight: number): void {
    this.#makeLatentRoom(weight);
    this.#makeTotalRoom(weight);
    this.#table.place[slot] = PLACE.latent;
    this.#table.hits[slot] = 0;
    this.#latents.insert(slot, weight);
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
    const { capacityBytes } = this.#options;
    while (this.#images.bytes + this.#latents.bytes + weight > capacityBytes) {
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
    const table = this.#table;
    const flags = table.flags[slot] ?? 0;
    table.flags[slot] = flags & ~FLAG.carriesLatent;
    // As it would have stayed: an image of some age carries no latent any more.
    const carried = (flags & FLAG.carriesLatent) === 0 ? 0 : (table.latentBytes[slot] ?? 0);
    table.imageWeight[slot] = (table.weight[slot] ?? 0) - carried;
    this.#total.imageEvictions += 1;
    if (this.#rule) this.#imageGhosts.add(slot);
    table.place[slot] = PLACE.nowhere;
    const weight = this.#latentWeight(table.latentBytes[slot] ?? 0);
    if (weight <= this.#latents.targetBytes) {
      if ((flags & FLAG.carriesLatent) !== 0) {
        this.#total.demotions += 1;
        this.#makeLatentRoom(weight);
        table.place[slot] = PLACE.latent;
        table.hits[slot] = 0;
        this.#latents.insert(slot, weight);
        this.#events.demoted(slot);
        return;
      }
      if (this.#options.demotion === 'carry-until-hit') this.#events.latentWanted(slot);
    }
    this.#gone(slot);
  }

  #evictLatent(): void {
    const slot = this.#latents.evict();
    if (slot === NONE) return;
    this.#total.latentEvictions += 1;
    if (this.#rule) this.#latentGhosts.add(slot);
    this.#table.place[slot] = PLACE.nowhere;
    this.#gone(slot);
  }

  #gone(slot: number): void {
    this.#events.evicted(slot, ((this.#table.flags[slot] ?? 0) & ANY_GHOST) === 0);
  }

  /** An object that one list forgets may be resident, or a ghost of the other tier. */
  #forgetGhost(slot: number): void {
    const ghost = ((this.#table.flags[slot] ?? 0) & ANY_GHOST) !== 0;
    if (this.#table.place[slot] === PLACE.nowhere && !ghost) this.#events.forgotten(slot);
  }

  #applyAlpha(): void {
    const { capacityBytes, tail } = this.#options;
    const imageTarget = Math.floor(capacityBytes * this.#alpha);
    this.#images.setTarget(imageTarget);
    this.#latents.setTarget(capacityBytes - imageTarget);
    const ghostBytes = this.#rule ? capacityBytes * tail : 0;
    this.#imageGhosts.limitBytes = ghostBytes;
    this.#latentGhosts.limitBytes = ghostBytes;
  }

  #windowLength(): number {
    const window = this.#options.border?.window;
    if (window !== 'auto') return window ?? Infinity;
    const entries = this.#images.entries + this.#latents.entries;
    return Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, WINDOW_PER_ENTRY * entries));
  }

  #endOfRequest(): void {
    this.#windowLeft -= 1;
    if (this.#windowLeft <= 0) this.#decide();
    this.#settle();
  }

  #decide(): void {
    const { border } = this.#options;
    if (border && this.#rule) {
      const { alpha, step, imageGain, latentGain } = this.#rule(this.#window(), this.#limits(border));
      this.#alpha = alpha;
      this.#step = step;
      this.#imageGain = imageGain;
      this.#latentGain = latentGain;
      this.#windows += 1;
      this.#applyAlpha();
    }
    this.#start.assign(this.#total);
    this.#windowLeft = this.#windowLength();
  }

  #limits({ minAlpha, maxAlpha, minStep, maxStep }: BorderOptions): BorderLimits {
    const share = (bytes: number): number => Math.min(0.5, (LEAST_ENTRIES * bytes) / this.#options.capacityBytes);
    return {
      minAlpha: Math.max(minAlpha, share(this.#imageSize)),
      maxAlpha: Math.min(maxAlpha, 1 - share(this.#latentSize)),
      minStep,
      maxStep,
    };
  }

  #window(): BorderWindow {
    const { tail } = this.#options;
    const total = this.#total;
    const start = this.#start;
    const misses = total.misses - start.misses;
    return {
      requests: total.requests - start.requests,
      misses,
      imageMisses: misses + total.latentHits - start.latentHits,
      imageTailHits: total.imageTailHits - start.imageTailHits,
      latentTailHits: total.latentTailHits - start.latentTailHits,
      imageTailBytes: tail * this.#images.targetBytes,
      latentTailBytes: tail * this.#latents.targetBytes,
      imageGhostLatentHits: total.imageGhostLatentHits - start.imageGhostLatentHits,
      imageGhostMisses: total.imageGhostMisses - start.imageGhostMisses,
      imageGhostBytes: this.#imageGhosts.bytes,
      latentGhostMisses: total.latentGhostMisses - start.latentGhostMisses,
      latentGhostBytes: this.#latentGhosts.bytes,
      decodeMs: this.#decodeMs,
      fetchMs: this.#fetchMs,
      alpha: this.#alpha,
      step: this.#step,
      imageGain: this.#imageGain,
      latentGain: this.#latentGain,
    };
  }
}

/** Running totals; a window is the difference of two of them. */
export class Counters {
  requests = 0;
  imageHits = 0;
  latentHits = 0;
  misses = 0;
  imageTailHits = 0;
  latentTailHits = 0;
  imageGhostLatentHits = 0;
  imageGhostMisses = 0;
  latentGhostMisses = 0;
  promotions = 0;
  demotions = 0;
  imageEvictions = 0;
  latentEvictions = 0;

  assign(other: Readonly<Counters>): void {
    Object.assign(this, other);
  }
}

function check({ capacityBytes, alpha, promotionHits, tail }: TieredIndexOptions): void {
  if (!(capacityBytes >= 0)) throw new RangeError('capacityBytes must be at least 0');
  if (!(alpha >= 0 && alpha <= 1)) throw new RangeError('alpha must be from 0 to 1');
  if (!(Number.isInteger(promotionHits) && promotionHits >= 1))
    throw new RangeError('promotionHits must be a whole number of at least 1');
  if (!(tail >= 0 && tail <= 0.5)) throw new RangeError('tail must be from 0 to 0.5');
}
