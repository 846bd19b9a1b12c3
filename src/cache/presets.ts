/** The two complete policies of the dual-format cache, as the gateway and the simulator build them. */
import type { TieredIndexOptions } from './tiered-index.js';

export const CACHE_POLICIES = ['adaptive', 'published'] as const;
export type CachePolicy = (typeof CACHE_POLICIES)[number];

export interface PresetOptions {
  /** Budget of both tiers together, in bytes. */
  readonly capacityBytes: number;
  /** Share of the image tier; `auto` moves it. */
  readonly alpha: number | 'auto';
  /** Latent hits that move an object to the image tier. Default: the policy's. */
  readonly promotionHits?: number | undefined;
  /** Share of a tier that counts as its tail. Default 0.1. */
  readonly tail?: number | undefined;
  /** Requests between two moves of the border. Default `auto`. */
  readonly window?: number | 'auto' | undefined;
  /** The published rule's step. Default 0.01. */
  readonly step?: number | undefined;
  readonly entryOverheadBytes: number;
}

export const DEFAULT_TAIL = 0.1;
export const DEFAULT_PROMOTION_HITS: Readonly<Record<CachePolicy, number>> = { adaptive: 1, published: 2 };
const FIRST_ALPHA = 0.5;
const PUBLISHED_STEP = 0.01;
/** Assumed until the first observation: a GPU's decode and an object store in the same region. */
const DECODE_MS = 40;
const FETCH_MS = 100;

export function cachePreset(policy: CachePolicy, options: PresetOptions): TieredIndexOptions {
  const { capacityBytes, alpha, entryOverheadBytes, window = 'auto', tail = DEFAULT_TAIL } = options;
  const common = {
    capacityBytes,
    alpha: alpha === 'auto' ? FIRST_ALPHA : alpha,
    promotionHits: options.promotionHits ?? DEFAULT_PROMOTION_HITS[policy],
    tail,
    entryOverheadBytes,
    decodeMs: DECODE_MS,
    fetchMs: FETCH_MS,
  };
  if (policy === 'published') {
    const step = options.step ?? PUBLISHED_STEP;
    const border = {
      rule: 'fixed-step',
      window,
      minAlpha: 0.05,
      maxAlpha: 0.95,
      maxStep: step,
    } as const;
    return { ...common, imageEviction: 'lru', demotion: 'none', ...(alpha === 'auto' && { border }) };
  }
  const border = { rule: 'least-cost', window, minAlpha: 0.05, maxAlpha: 0.95, maxStep: 0.1 } as const;
  return { ...common, imageEviction: 'sieve', demotion: 'carry-until-hit', ...(alpha === 'auto' && { border }) };
}
