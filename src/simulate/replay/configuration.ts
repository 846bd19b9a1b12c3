/** What can be compared: the ways to serve images, and the cache that each of them has. */
import { ENTRY_OVERHEAD_BYTES } from '../../cache/dual-format-cache.js';
import { cachePreset, type CachePolicy } from '../../cache/presets.js';
import type { TieredIndexOptions } from '../../cache/tiered-index.js';

export const CONFIGURATIONS = [
  'generation',
  'image-store',
  'decode-all',
  'image-only',
  'latent-only',
  'static',
  'adaptive-published',
  'adaptive',
] as const;
export type ConfigurationName = (typeof CONFIGURATIONS)[number];

/** What a request costs that no tier answers. */
export type Source = 'generation' | 'image-store' | 'latent-store';

export interface Simulation {
  readonly config: ConfigurationName;
  /** Cache size as a share of the PNG bytes of all objects. */
  readonly cacheShare: number;
  readonly source: Source;
  readonly cache: TieredIndexOptions;
}

/** Overrides of the policies' parameters, for sweeps. */
export interface CacheTuning {
  readonly window?: number | 'auto';
  readonly step?: number;
  readonly tail?: number;
  readonly promotionHits?: number;
}

/** α of the `static` rows. */
export const STATIC_ALPHAS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/**
 * All simulations of one cache size.
 *
 * @param configs which of them
 */
export function simulationsOf(
  cacheShare: number,
  workingSetBytes: number,
  configs: readonly ConfigurationName[],
  tuning: CacheTuning = {},
  staticAlphas: readonly number[] = STATIC_ALPHAS,
): Simulation[] {
  const capacityBytes = Math.floor(cacheShare * workingSetBytes);
  const make = (
    config: ConfigurationName,
    source: Source,
    policy: CachePolicy,
    alpha: number | 'auto',
    capacity = capacityBytes,
  ) => ({
    config,
    cacheShare,
    source,
    cache: cachePreset(policy, { ...tuning, capacityBytes: capacity, alpha, entryOverheadBytes: ENTRY_OVERHEAD_BYTES }),
  });
  return configs.flatMap((config): Simulation[] => {
    switch (config) {
      case 'generation':
        return [make(config, 'generation', 'published', 1)];
      case 'image-store':
        return [make(config, 'image-store', 'published', 1)];
      case 'decode-all':
        return [make(config, 'latent-store', 'published', 0, 0)];
      case 'image-only':
        return [make(config, 'latent-store', 'published', 1)];
      case 'latent-only':
        return [make(config, 'latent-store', 'published', 0)];
      case 'static':
        return staticAlphas.map((alpha) => make(config, 'latent-store', 'published', alpha));
      case 'adaptive-published':
        return [make(config, 'latent-store', 'published', 'auto')];
      case 'adaptive':
        return [make(config, 'latent-store', 'adaptive', 'auto')];
    }
  });
}
