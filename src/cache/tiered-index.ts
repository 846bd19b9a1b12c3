/**
 * All decisions of the dual-format cache over slot numbers, without keys or payloads: two tiers, and the border that
 * moves between them. The gateway's cache and the simulator drive this class.
 */
import {
  fixedStepRule,
  leastCostRule,
  type BorderDecision,
  type BorderLimits,
  type SplitRates,
} from './border-rule.js';
import { MovingAverage } from './moving-average.js';
import { ShadowSplits } from './shadow-splits.js';
import { Counters, TierPair, type Access, type TierEvents, type TierPairOptions } from './tier-pair.js';

export interface BorderOptions extends BorderLimits {
  /** `fixed-step`: the published rule. `least-cost`: towards the best of several shadows. */
  readonly rule: 'fixed-step' | 'least-cost';
  /** Requests between two decisions; `auto` follows the number of entries. */
  readonly window: number | 'auto';
}

export interface TieredIndexOptions extends TierPairOptions {
  /** Moves the border, which starts at `alpha`; absent, it stays there. */
  readonly border?: BorderOptions;
  /** Assumed until the first observation, in milliseconds. */
  readonly decodeMs: number;
  readonly fetchMs: number;
}

/** Weight of a new observation in the moving averages of latency. */
const LATENCY_SMOOTHING = 0.02;
/** Bounds of the automatic window, and how often it lets an average entry be asked for. */
const MIN_WINDOW = 5000;
const MAX_WINDOW = 1_000_000;
const WINDOW_PER_ENTRY = 2;
/** Weight of a new window in the shadows' rates. */
const RATE_SMOOTHING = 0.1;

export class TieredIndex {
  readonly #options: TieredIndexOptions;
  readonly #tiers: TierPair;
  readonly #border: BorderOptions | undefined;
  readonly #shadows: ShadowSplits | undefined;
  #rates: SplitRates[] = [];
  readonly #decodeMs: MovingAverage;
  readonly #fetchMs: MovingAverage;
  #gradient = 0;
  #windows = 0;
  #windowLeft: number;
  /** Totals at the start of the window. */
  readonly #start = new Counters();

  /** @throws RangeError where an option is out of its bounds */
  constructor(options: TieredIndexOptions, events: TierEvents) {
    this.#options = options;
    this.#tiers = new TierPair(options, events);
    this.#border = options.capacityBytes > 0 ? options.border : undefined;
    this.#shadows = this.#border?.rule === 'least-cost' ? new ShadowSplits(options) : undefined;
    this.#decodeMs = new MovingAverage(options.decodeMs, LATENCY_SMOOTHING);
    this.#fetchMs = new MovingAverage(options.fetchMs, LATENCY_SMOOTHING);
    this.#windowLeft = this.#windowLength();
  }

  /** What is held, in bytes and entries. */
  get tiers(): Pick<TierPair, 'imageBytes' | 'latentBytes' | 'imageEntries' | 'latentEntries' | 'counters'> {
    return this.#tiers;
  }
  get alpha(): number {
    return this.#tiers.alpha;
  }
  get decodeMs(): number {
    return this.#decodeMs.value;
  }
  get fetchMs(): number {
    return this.#fetchMs.value;
  }
  /** Decisions so far. */
  get windows(): number {
    return this.#windows;
  }
  /** Which way the border should go, -1..1; over 0 the image tier should grow. */
  get gradient(): number {
    return this.#gradient;
  }
  /** The tier that a fetched object enters: the image tier only where the latent tier has no bytes at all. */
  get firstTier(): 'image' | 'latent' {
    return this.#tiers.alpha === 1 ? 'image' : 'latent';
  }
  /** Counts since the start; the same object each time. */
  get counters(): Readonly<Counters> {
    return this.#tiers.counters;
  }

  reserve(slots: number): void {
    this.#tiers.reserve(slots);
  }

  placeOf(slot: number): number {
    return this.#tiers.placeOf(slot);
  }

  /** @param hash 32 bits of the object's key, evenly spread */
  accessUnknown(hash: number): void {
    this.#tiers.accessUnknown();
    this.#endOfRequest(hash);
  }

  access(slot: number, hash: number): Access {
    const access = this.#tiers.access(slot);
    this.#endOfRequest(hash);
    return access;
  }

  insertLatent(slot: number, hash: number, latentBytes: number): boolean {
    this.#shadows?.admit(hash, 0, latentBytes);
    return this.#tiers.insertLatent(slot, latentBytes);
  }

  insertImage(slot: number, hash: number, imageBytes: number, latentBytes: number): boolean {
    this.#shadows?.admit(hash, imageBytes, latentBytes);
    return this.#tiers.insertImage(slot, imageBytes, latentBytes);
  }

  /** Forgets the object: its content has changed or is gone. */
  remove(slot: number, hash: number): void {
    this.#shadows?.remove(hash);
    this.#tiers.remove(slot);
  }

  /** What a decode (queue, inference, PNG) took, in milliseconds. */
  observeDecode(ms: number): void {
    this.#decodeMs.observe(ms);
  }

  /** What a fetch from the backing store took, in milliseconds. */
  observeFetch(ms: number): void {
    this.#fetchMs.observe(ms);
  }

  #windowLength(): number {
    const window = this.#border?.window;
    if (window !== 'auto') return window ?? Infinity;
    const entries = this.#tiers.imageEntries + this.#tiers.latentEntries;
    return Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, WINDOW_PER_ENTRY * entries));
  }

  #endOfRequest(hash: number): void {
    this.#shadows?.access(hash);
    this.#windowLeft -= 1;
    if (this.#windowLeft > 0) return;
    if (this.#border) {
      const { alpha, gradient } = this.#decide(this.#border);
      this.#gradient = gradient;
      this.#windows += 1;
      this.#tiers.setBorder(this.#options.capacityBytes, alpha);
    }
    this.#start.assign(this.#tiers.counters);
    this.#windowLeft = this.#windowLength();
  }

  #decide(limits: BorderOptions): BorderDecision {
    const common = { alpha: this.alpha, decodeMs: this.decodeMs, fetchMs: this.fetchMs };
    if (this.#shadows) {
      this.#updateRates(this.#shadows);
      return leastCostRule({ ...common, splits: this.#rates }, limits);
    }
    const { capacityBytes, tail } = this.#options;
    const imageTarget = Math.floor(capacityBytes * this.alpha);
    const now = this.#tiers.counters;
    const start = this.#start;
    const misses = now.misses - start.misses;
    const window = {
      ...common,
      requests: now.requests - start.requests,
      misses,
      imageMisses: misses + now.latentHits - start.latentHits,
      imageTailHits: now.imageTailHits - start.imageTailHits,
      latentTailHits: now.latentTailHits - start.latentTailHits,
      imageTailBytes: tail * imageTarget,
      latentTailBytes: tail * (capacityBytes - imageTarget),
    };
    return fixedStepRule(window, limits);
  }

  #updateRates(shadows: ShadowSplits): void {
    const { requests, splits } = shadows.take();
    if (requests === 0) return;
    this.#rates = splits.map(({ alpha, decodes, misses }, i) => {
      const old = this.#rates[i];
      const smooth = (before: number | undefined, now: number): number =>
        before === undefined ? now : before + RATE_SMOOTHING * (now - before);
      return {
        alpha,
        decodes: smooth(old?.decodes, decodes / requests),
        misses: smooth(old?.misses, misses / requests),
      };
    });
  }
}
