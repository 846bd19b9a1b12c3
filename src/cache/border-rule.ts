/**
 * Rules that move the border between the tiers: pure functions from what a window of requests showed to the next share
 * of the image tier.
 */

/** What was counted since the last decision. */
export interface BorderWindow {
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
  /** Requests for objects that left the image tier lately, by what they cost: a decode, or a fetch and a decode. */
  readonly imageGhostLatentHits: number;
  readonly imageGhostMisses: number;
  readonly imageGhostBytes: number;
  /** Requests for objects that left the latent tier lately. */
  readonly latentGhostMisses: number;
  readonly latentGhostBytes: number;
  /** Moving averages of what a decode and a fetch took, in milliseconds. */
  readonly decodeMs: number;
  readonly fetchMs: number;
  /** Share of the image tier, 0..1. */
  readonly alpha: number;
  /** The last decision's step, signed; 0 before the first. */
  readonly step: number;
  /** The last decision's smoothed gains; 0 before the first. */
  readonly imageGain: number;
  readonly latentGain: number;
}

export interface BorderLimits {
  readonly minAlpha: number;
  readonly maxAlpha: number;
  /** Smallest and largest move of one decision, as a share of the whole budget. */
  readonly minStep: number;
  readonly maxStep: number;
}

export interface BorderDecision {
  readonly alpha: number;
  /** The move that led there, signed; kept even where a bound cut it. */
  readonly step: number;
  /** Expected milliseconds a request that one more byte of each tier saves. */
  readonly imageGain: number;
  readonly latentGain: number;
}

export type BorderRule = (window: BorderWindow, limits: BorderLimits) => BorderDecision;

/**
 * The published rule: the sign of the difference of marginal benefits, from tail hits of both LRU tiers, and a step of
 * fixed length, `limits.maxStep`.
 */
export const fixedStepRule: BorderRule = (window, limits) => {
  const { requests, imageMisses, misses, decodeMs, fetchMs } = window;
  const latentMissRatio = imageMisses === 0 ? 0 : misses / imageMisses;
  const imageGain = perByte(
    (window.imageTailHits * (decodeMs + latentMissRatio * fetchMs)) / Math.max(1, requests),
    window.imageTailBytes,
  );
  const latentGain = perByte((window.latentTailHits * fetchMs) / Math.max(1, requests), window.latentTailBytes);
  const step = limits.maxStep * Math.sign(imageGain - latentGain);
  return { alpha: bounded(window.alpha + step, limits), step, imageGain, latentGain };
};

/** Weight of the newest window in the smoothed gains. */
const SMOOTHING = 0.3;
const GROWTH = 1.3;
const SHRINKAGE = 0.5;

/**
 * What growth is worth is read from ghosts, so that it holds for any order of eviction; the latent tier's tail says what
 * shrinking would cost. The step follows the relative difference of the smoothed gains, grows while it keeps its
 * direction and shrinks when it turns.
 */
export const adaptiveRule: BorderRule = (window, limits) => {
  const { requests, decodeMs, fetchMs } = window;
  const imageSaved = window.imageGhostLatentHits * decodeMs + window.imageGhostMisses * (decodeMs + fetchMs);
  const latentSaved = (window.latentGhostMisses + window.latentTailHits) * fetchMs;
  const smooth = (old: number, now: number) => (window.step === 0 && old === 0 ? now : old + SMOOTHING * (now - old));
  const imageGain = smooth(window.imageGain, perByte(imageSaved / Math.max(1, requests), window.imageGhostBytes));
  const latentGain = smooth(
    window.latentGain,
    perByte(latentSaved / Math.max(1, requests), window.latentGhostBytes + window.latentTailBytes),
  );
  const sum = imageGain + latentGain;
  if (sum === 0) return { alpha: window.alpha, step: window.step, imageGain, latentGain };
  const slope = (imageGain - latentGain) / sum;
  const last = Math.abs(window.step);
  const turned = Math.sign(slope) !== Math.sign(window.step);
  const length = clamp(last * (turned ? SHRINKAGE : GROWTH), limits.minStep, limits.maxStep);
  const step = Math.sign(slope) * length;
  return {
    alpha: bounded(window.alpha + step * Math.min(1, 2 * Math.abs(slope)), limits),
    step,
    imageGain,
    latentGain,
  };
};

/** A tier without bytes gains nothing measurable; its neighbour's gain decides. */
function perByte(saved: number, bytes: number): number {
  return bytes > 0 ? saved / bytes : 0;
}

function bounded(alpha: number, { minAlpha, maxAlpha }: BorderLimits): number {
  return clamp(alpha, minAlpha, maxAlpha);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
