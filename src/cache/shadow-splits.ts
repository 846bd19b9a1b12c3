/**
 * What the cache would do at other borders: a few small caches without payloads, each at a fixed border, that see a
 * sample of the objects and have the same share of the budget. Their decodes and misses are the cost curve over α,
 * second-order effects included, which ghosts and tails cannot show: an image that stays is not promoted again, and
 * pushes no latent out when it is not demoted.
 *
 * An object is in the sample by its hash, so that all its requests are or none (Waldspurger et al., "Efficient MRC
 * construction with SHARDS", FAST 2015). The sample starts as everything and halves whenever a shadow grows beyond a
 * bound, so that small caches are followed exactly and large ones cost next to nothing.
 */
import { ACCESS, TierPair, type TierPairOptions } from './tier-pair.js';
import { grown } from './slot-list.js';
import { PLACE } from './slot-table.js';

/** Borders of the shadows. */
export const SPLITS = [0.1, 0.3, 0.5, 0.7, 0.9] as const;
/** Entries of one shadow beyond which the sample halves. */
const MAX_ENTRIES = 1024;
const MAX_HALVINGS = 24;
const FIRST_SIZE = 1024;
/** Weight of a new size in the average that stands for unknown ones. */
const SIZE_SMOOTHING = 0.02;

/** What one shadow counted since the last reading. */
export interface SplitCounts {
  readonly alpha: number;
  readonly decodes: number;
  readonly misses: number;
}

export class ShadowSplits {
  readonly #capacityBytes: number;
  readonly #shadows: readonly TierPair[];
  /** Slot in the shadows by the object's hash. */
  readonly #slots = new Map<number, number>();
  #hashes = new Uint32Array(FIRST_SIZE);
  #imageBytes = new Uint32Array(FIRST_SIZE);
  #latentBytes = new Uint32Array(FIRST_SIZE);
  readonly #free: number[] = [];
  #used = 0;
  /** Slots that some shadow has just let go, and those whose latent one of them would like back. */
  readonly #released: number[] = [];
  readonly #wanted: number[] = [];
  #meanImageBytes = 0;
  #halvings = 0;
  #requests = 0;
  readonly #decodesBefore = new Float64Array(SPLITS.length);
  readonly #missesBefore = new Float64Array(SPLITS.length);

  constructor(options: TierPairOptions) {
    this.#capacityBytes = options.capacityBytes;
    const events = {
      demoted: () => undefined,
      latentDropped: () => undefined,
      evicted: (slot: number) => void this.#released.push(slot),
      latentWanted: (slot: number) => void this.#wanted.push(slot),
    };
    this.#shadows = SPLITS.map((alpha) => new TierPair({ ...options, alpha }, events));
    for (const shadow of this.#shadows) shadow.reserve(FIRST_SIZE);
  }

  /** Share of the objects that the shadows see. */
  get sampleShare(): number {
    return 2 ** -this.#halvings;
  }

  get entries(): number {
    return this.#slots.size;
  }

  /** A request. One for an object that no shadow holds costs all of them the same, and is left out. */
  access(hash: number): void {
    if (!this.#isSampled(hash)) return;
    this.#requests += 1;
    const slot = this.#slots.get(hash);
    if (slot === undefined) return;
    const latentBytes = this.#latentBytes[slot] ?? 0;
    const imageBytes = this.#imageBytes[slot] || this.#meanImageBytes;
    for (const shadow of this.#shadows) {
      const access = shadow.access(slot);
      if (access === ACCESS.miss) shadow.insertLatent(slot, latentBytes);
      else if (access === ACCESS.latentPromote && imageBytes > 0) shadow.insertImage(slot, imageBytes, latentBytes);
      this.#bringBack(shadow);
    }
    this.#release();
  }

  /** An object has entered the cache. @param imageBytes 0 where they are not known */
  admit(hash: number, imageBytes: number, latentBytes: number): void {
    if (imageBytes > 0) {
      const weight = this.#meanImageBytes === 0 ? 1 : SIZE_SMOOTHING;
      this.#meanImageBytes += weight * (imageBytes - this.#meanImageBytes);
    }
    if (!this.#isSampled(hash)) return;
    const slot = this.#slots.get(hash) ?? this.#newSlot(hash);
    if (imageBytes > 0) this.#imageBytes[slot] = imageBytes;
    if (latentBytes > 0) this.#latentBytes[slot] = latentBytes;
    for (const shadow of this.#shadows) {
      if (shadow.placeOf(slot) === PLACE.nowhere) shadow.insertLatent(slot, this.#latentBytes[slot] ?? 0);
      this.#bringBack(shadow);
    }
    this.#release();
    if (this.#shadows.some((shadow) => shadow.imageEntries + shadow.latentEntries > MAX_ENTRIES)) this.#halve();
  }

  remove(hash: number): void {
    const slot = this.#slots.get(hash);
    if (slot === undefined) return;
    for (const shadow of this.#shadows) shadow.remove(slot);
    this.#released.push(slot);
    this.#release();
  }

  /** What was counted since the last call. */
  take(): { readonly requests: number; readonly splits: readonly SplitCounts[] } {
    const { requests } = { requests: this.#requests };
    this.#requests = 0;
    const splits = this.#shadows.map(({ alpha, counters }, i) => {
      const decodes = counters.latentHits + counters.misses - (this.#decodesBefore[i] ?? 0);
      const misses = counters.misses - (this.#missesBefore[i] ?? 0);
      this.#decodesBefore[i] = counters.latentHits + counters.misses;
      this.#missesBefore[i] = counters.misses;
      return { alpha, decodes, misses };
    });
    return { requests, splits };
  }

  #isSampled(hash: number): boolean {
    return this.#halvings === 0 || hash >>> (32 - this.#halvings) === 0;
  }

  /** What falls out of the sample is not asked for any more, and leaves as the shadows age. */
  #halve(): void {
    if (this.#halvings === MAX_HALVINGS) return;
    this.#halvings += 1;
    for (const shadow of this.#shadows) shadow.setBorder(this.#capacityBytes * this.sampleShare, shadow.alpha);
  }

  #bringBack(shadow: TierPair): void {
    for (let slot = this.#wanted.pop(); slot !== undefined; slot = this.#wanted.pop())
      if (shadow.placeOf(slot) === PLACE.nowhere) shadow.insertLatent(slot, this.#latentBytes[slot] ?? 0);
  }

  #newSlot(hash: number): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.#hashes.length) {
      const size = 2 * this.#hashes.length;
      this.#hashes = grown(this.#hashes, new Uint32Array(size));
      this.#imageBytes = grown(this.#imageBytes, new Uint32Array(size));
      this.#latentBytes = grown(this.#latentBytes, new Uint32Array(size));
      for (const shadow of this.#shadows) shadow.reserve(size);
    }
    this.#slots.set(hash, slot);
    this.#hashes[slot] = hash;
    this.#imageBytes[slot] = 0;
    this.#latentBytes[slot] = 0;
    return slot;
  }

  #release(): void {
    for (let slot = this.#released.pop(); slot !== undefined; slot = this.#released.pop()) {
      const hash = this.#hashes[slot] ?? 0;
      if (this.#slots.get(hash) !== slot) continue;
      let held = false;
      for (const shadow of this.#shadows) held ||= shadow.placeOf(slot) !== PLACE.nowhere;
      if (held) continue;
      this.#slots.delete(hash);
      this.#free.push(slot);
    }
  }
}
