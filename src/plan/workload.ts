/** What is stored and how it is read, in the few numbers that the cost model needs. */

/** Images of about one size. */
export interface SizeClass {
  /** Share of all images, 0 to 1; the shares of a workload add up to 1. */
  readonly share: number;
  /** Bytes of one as a PNG, and as a latent. */
  readonly imageBytes: number;
  readonly latentBytes: number;
}

export interface Workload {
  /** Where the numbers come from, for the head of a report. */
  readonly source: string;
  /** Images that are there at the start, by age in whole months. */
  readonly existing: readonly number[];
  /** Images that come in each month. */
  readonly birthsPerMonth: number;
  readonly sizes: readonly SizeClass[];
  /** Views that an image gets soon after its birth, all in its first month. */
  readonly earlyViews: number;
  /** Views that an image gets in each year beside those. */
  readonly viewsPerYear: number;
  /** Share of the views that no image cache answers: each reads the store, and with latents is one decode. */
  readonly decodeShare: number;
  /** Milliseconds of GPU for one decode. */
  readonly decodeMs: number;
  /** Milliseconds of GPU to turn one existing PNG into a latent, refinement included. */
  readonly encodeMs: number;
}

/**
 * The published production workload. Over its 35 months an image was seen 22 times, and 10.2 times a year in the long
 * run; images of that trace are 17.5 months old on average, so 22 − 10.2·17.5/12 views come early.
 */
export const PUBLISHED_WORKLOAD: Workload = {
  source: 'the published production workload',
  existing: [],
  birthsPerMonth: 3_760_000,
  sizes: [{ share: 1, imageBytes: 1_500_000, latentBytes: 290_000 }],
  earlyViews: 22 - (10.2 * 17.5) / 12,
  viewsPerYear: 10.2,
  decodeShare: 0.632,
  decodeMs: 40,
  encodeMs: 0,
};

/** Mean of a function of size over all images. */
export function meanOver(sizes: readonly SizeClass[], of: (size: SizeClass) => number): number {
  return sizes.reduce((sum, size) => sum + size.share * of(size), 0);
}
