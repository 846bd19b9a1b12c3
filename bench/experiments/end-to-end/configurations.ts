/** The five ways to serve that the published table compares, and its figures. */

export const CONFIGURATIONS = ['decode-all', 'image-store', 'image-only', 'latent-only', 'adaptive'] as const;
export type ConfigurationName = (typeof CONFIGURATIONS)[number];

export interface Percentiles {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** SD 3.5 at 1024² on an H100, over 79–146 ms of S3. */
export const PUBLISHED: Readonly<Record<ConfigurationName, Percentiles>> = {
  'decode-all': { meanMs: 137.3, p50Ms: 132.6, p95Ms: 209.1, p99Ms: 275.9 },
  'image-store': { meanMs: 49.4, p50Ms: 14.1, p95Ms: 198.7, p99Ms: 276.9 },
  'image-only': { meanMs: 58.0, p50Ms: 15.6, p95Ms: 213.9, p99Ms: 285.3 },
  'latent-only': { meanMs: 77.0, p50Ms: 53.8, p95Ms: 180.9, p99Ms: 234.3 },
  adaptive: { meanMs: 41.2, p50Ms: 15.8, p95Ms: 178.5, p99Ms: 227.3 },
};
export const PUBLISHED_ADAPTIVE_SHARES = { imageHit: 0.663, miss: 0.099 };

/** The section `cache` of a gateway's configuration. */
export function cacheSection(
  name: Exclude<ConfigurationName, 'image-store'>,
  bytes: number,
): Readonly<Record<string, unknown>> {
  switch (name) {
    case 'decode-all':
      return { bytes: 0 };
    case 'image-only':
      return { bytes, policy: 'published', alpha: 1 };
    case 'latent-only':
      return { bytes, policy: 'published', alpha: 0 };
    case 'adaptive':
      return { bytes };
  }
}
