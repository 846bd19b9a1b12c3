/**
 * How many views an image gets: a curve over its rank, in pieces of Zipf's law (views ∝ rank^-s), fitted to the
 * published production workload.
 */

interface Knot {
  /** Share of the catalogue that is at least as popular. */
  readonly rank: number;
  /** Views of the image at that rank. */
  readonly views: number;
}

/**
 * Fitted so that what a trace of 35 months shows meets the published shares (`latentbox trace` prints both): images
 * born late lose the views that fall behind the end, so the curve lies a little above what is observed.
 */
const KNOTS: readonly Knot[] = [
  { rank: 0.01, views: 346 },
  { rank: 0.1, views: 48.6 },
  { rank: 0.31, views: 12.24 },
  { rank: 0.85, views: 3.29 },
];

/** Zipf exponent over the most popular 1 %. */
const HEAD_EXPONENT = 0.741;

/**
 * Views of all images up to a rank, as a multiple of the catalogue's size: the integral of the curve from 0 to `rank`.
 *
 * @param rank share of the catalogue, from 0 to 1
 */
export function viewsUpToRank(rank: number): number {
  let sum = 0;
  for (const { from, to, views, exponent } of PIECES) {
    if (rank <= from) break;
    const upper = Math.min(rank, to);
    const scale = (views * to) / (1 - exponent);
    sum += scale * ((upper / to) ** (1 - exponent) - (from / to) ** (1 - exponent));
  }
  return sum;
}

/**
 * Mean views of the image at a place of the catalogue, at least 1. Taken over the image's share of the curve, not at a
 * point of it, so that catalogues of any size have the same shares of views at the same ranks.
 *
 * @param place 0 for the most popular image
 */
export function viewsAtPlace(place: number, catalogue: number): number {
  return Math.max(1, catalogue * (viewsUpToRank((place + 1) / catalogue) - viewsUpToRank(place / catalogue)));
}

/** A stretch of ranks over which views are `views · (to / rank)^exponent`. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly views: number;
  readonly exponent: number;
}

const PIECES = pieces();

function pieces(): Piece[] {
  const found: Piece[] = [];
  let before: Knot | undefined;
  for (const { rank, views } of KNOTS) {
    const exponent = before ? Math.log(before.views / views) / Math.log(rank / before.rank) : HEAD_EXPONENT;
    found.push({ from: before?.rank ?? 0, to: rank, views, exponent });
    before = { rank, views };
  }
  return [...found, { from: before?.rank ?? 0, to: 1, views: 1, exponent: 0 }];
}

/** A tier of popularity: its images share how their views decay after birth. */
export interface PopularityTier {
  readonly name: 'hot' | 'warm' | 'cold';
  /** The least popular rank of the tier. */
  readonly rank: number;
  /** Age by which half of an image's later views have come, in seconds. */
  readonly medianAge: number;
  /** Spread of the age's logarithm: the scale of its logistic distribution. */
  readonly spread: number;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/**
 * The age at a view is log-logistic: views a second fall as a power of the age, late for popular images and early for
 * the others.
 */
export const TIERS: readonly [PopularityTier, PopularityTier, PopularityTier] = [
  { name: 'hot', rank: 0.01, medianAge: 50.5 * DAY, spread: 3.52 },
  { name: 'warm', rank: 0.1, medianAge: 43.6 * DAY, spread: 2.12 },
  { name: 'cold', rank: 1, medianAge: 16.3 * DAY, spread: 2.8 },
];

/** Index in `TIERS` of the tier that a rank belongs to. */
export function tierAtRank(rank: number): 0 | 1 | 2 {
  if (rank <= TIERS[0].rank) return 0;
  return rank <= TIERS[1].rank ? 1 : 2;
}
