/**
 * Rules that move the border between the tiers: pure functions from what a window of requests showed to the next share
 * of the image tier.
 */

/** Bounds of a move. */
export interface BorderLimits {
  readonly minAlpha: number;
  readonly maxAlpha: number;
  /** Longest move of one decision, as a share of the whole budget. */
  readonly maxStep: number;
}

export interface BorderDecision {
  readonly alpha: number;
  /**
   * Relative worth of more image bytes, -1..1: over 0 the image tier should grow.
   */
  readonly gradient: number;
}

/** What was counted in the tails since the last decision. */
export interface TailWindow {
  readonly alpha: number;
  readonly requests: number;
  /** Requests that the image tier did not answer. */
  readonly imageMisses: number;
  /** Requests that neither tier answered. */
  readonly misses: number;
  /** Hits in the tails, and the bytes that the tails have when full. */
  readonly imageTailHits: number;
  readonly latentTailHits: number;
  readonly imageTailBytes: number;
  readonly latentTailBytes: number;
  /** Moving averages of what a decode and a fetch took, in milliseconds. */
  readonly decodeMs: number;
  readonly fetchMs: number;
}

/**
 * The published rule: the sign of the difference of marginal benefits, from the tail hits of both LRU tiers, and a step
 * of fixed length, `limits.maxStep`.
 */
export function fixedStepRule(window: TailWindow, limits: BorderLimits): BorderDecision {
  const { requests, imageMisses, misses, decodeMs, fetchMs } = window;
  const latentMissRatio = imageMisses === 0 ? 0 : misses / imageMisses;
  const imageBenefit = perByte(
    (window.imageTailHits * (decodeMs + latentMissRatio * fetchMs)) / Math.max(1, requests),
    window.imageTailBytes,
  );
  const latentBenefit = perByte((window.latentTailHits * fetchMs) / Math.max(1, requests), window.latentTailBytes);
  const sum = imageBenefit + latentBenefit;
  const step = limits.maxStep * Math.sign(imageBenefit - latentBenefit);
  return {
    alpha: bounded(window.alpha + step, limits),
    gradient: sum === 0 ? 0 : (imageBenefit - latentBenefit) / sum,
  };
}

/** What a cache with its border at `alpha` would have done, in shares of the requests. */
export interface SplitRates {
  readonly alpha: number;
  readonly decodes: number;
  readonly misses: number;
}

export interface SplitWindow {
  readonly alpha: number;
  /** In ascending order of `alpha`, evenly spaced; smoothed over the last windows. */
  readonly splits: readonly SplitRates[];
  /** Moving averages of what a decode and a fetch took, in milliseconds. */
  readonly decodeMs: number;
  readonly fetchMs: number;
}

/**
 * Goes to the least cost of the curve through what the shadows at fixed borders show: half the way in each window, so
 * that the step is long after a shift and short near the optimum. Latency enters as it is now, not as it was when the
 * curve was counted.
 */
export function leastCostRule(window: SplitWindow, limits: BorderLimits): BorderDecision {
  const costs = window.splits.map(({ decodes, misses }) => decodes * window.decodeMs + misses * window.fetchMs);
  const best = costs.reduce((least, cost, i) => (cost < (costs[least] ?? Infinity) ? i : least), 0);
  const cost = costs[best];
  const at = window.splits[best]?.alpha;
  if (cost === undefined || at === undefined || cost === 0) return { alpha: window.alpha, gradient: 0 };
  const goal = bounded(at + vertex(costs[best - 1], cost, costs[best + 1]) * spacing(window.splits), limits);
  const step = clamp((goal - window.alpha) / 2, -limits.maxStep, limits.maxStep);
  return { alpha: bounded(window.alpha + step, limits), gradient: clamp(goal - window.alpha, -1, 1) };
}

/** Where the parabola through three evenly spaced points is least, in spacings from the middle one; half a spacing out at an end. */
function vertex(before: number | undefined, here: number, after: number | undefined): number {
  if (before === undefined) return -0.5;
  if (after === undefined) return 0.5;
  const curvature = before - 2 * here + after;
  return curvature > 0 ? clamp((before - after) / (2 * curvature), -0.5, 0.5) : 0;
}

function spacing(splits: readonly SplitRates[]): number {
  return (splits[1]?.alpha ?? 0) - (splits[0]?.alpha ?? 0);
}

function perByte(saved: number, bytes: number): number {
  return bytes > 0 ? saved / bytes : 0;
}

function bounded(alpha: number, { minAlpha, maxAlpha }: BorderLimits): number {
  return clamp(alpha, minAlpha, maxAlpha);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
