import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedStepRule, leastCostRule, type SplitRates, type TailWindow } from './border-rule.js';

describe('fixedStepRule', () => {
  const limits = { minAlpha: 0.05, maxAlpha: 0.95, maxStep: 0.01 };
  const quiet: TailWindow = {
    alpha: 0.5,
    requests: 1000,
    imageMisses: 500,
    misses: 100,
    imageTailHits: 0,
    latentTailHits: 0,
    imageTailBytes: 1e6,
    latentTailBytes: 1e6,
    decodeMs: 40,
    fetchMs: 100,
  };

  it('weighs tail hits as published: T_i (L_dec + M_l L_fetch) against T_l L_fetch, per byte of tail', () => {
    // M_l = 100 / 500: an image tail hit is worth 40 + 0.2 · 100 = 60 ms, a latent tail hit 100 ms.
    const decide = (imageTailHits: number, latentTailHits: number, imageTailBytes = 1e6) =>
      fixedStepRule({ ...quiet, imageTailHits, latentTailHits, imageTailBytes }, limits);
    expect(decide(10, 5).alpha).toBe(0.51);
    expect(decide(10, 5).gradient).toBeCloseTo((600 - 500) / (600 + 500));
    expect(decide(10, 7).alpha).toBeCloseTo(0.49);
    expect(decide(10, 6)).toEqual({ alpha: 0.5, gradient: 0 });
    expect(decide(10, 5, 2e6).alpha).toBeCloseTo(0.49);
  });

  it('stays where nothing was hit, and within its bounds', () => {
    expect(fixedStepRule(quiet, limits).alpha).toBe(0.5);
    expect(fixedStepRule({ ...quiet, alpha: 0.945, imageTailHits: 1 }, limits).alpha).toBe(0.95);
    expect(fixedStepRule({ ...quiet, alpha: 0.055, latentTailHits: 1 }, limits).alpha).toBe(0.05);
  });
});

describe('leastCostRule', () => {
  const limits = { minAlpha: 0.05, maxAlpha: 0.95, maxStep: 0.1 };
  /** A parabola of decodes with its least at `best`, and no misses. */
  const curve = (best: number): SplitRates[] =>
    [0.1, 0.3, 0.5, 0.7, 0.9].map((alpha) => ({ alpha, decodes: 0.2 + (alpha - best) ** 2, misses: 0 }));
  const settle = (splits: readonly SplitRates[], alpha = 0.5): number[] => {
    const course = [alpha];
    for (let i = 0; i < 30; i += 1)
      course.push(leastCostRule({ alpha: course.at(-1) ?? 0, splits, decodeMs: 40, fetchMs: 100 }, limits).alpha);
    return course;
  };

  it('goes to the least of the curve, between the borders that were tried too, in steps that shorten', () => {
    for (const best of [0.3, 0.42, 0.55, 0.8]) {
      const course = settle(curve(best));
      expect(course.at(-1)).toBeCloseTo(best, 3);
      const steps = course.slice(1).map((alpha, i) => Math.abs(alpha - (course[i] ?? 0)));
      expect(Math.max(...steps)).toBeLessThanOrEqual(limits.maxStep + 1e-9);
      expect(steps).toEqual(steps.toSorted((a, b) => b - a));
    }
  });

  it('goes to its bounds where the curve falls all the way', () => {
    expect(settle(curve(2)).at(-1)).toBeCloseTo(0.95);
    expect(settle(curve(-1)).at(-1)).toBeCloseTo(0.05, 1);
  });

  it('follows the latencies of now: decodes are worth images, misses are worth latents', () => {
    const splits = [0.1, 0.3, 0.5, 0.7, 0.9].map((alpha) => ({ alpha, decodes: 1 - alpha, misses: alpha ** 2 / 2 }));
    const next = (decodeMs: number, fetchMs: number) =>
      leastCostRule({ alpha: 0.5, splits, decodeMs, fetchMs }, limits).alpha;
    expect(next(100, 10)).toBeGreaterThan(0.5);
    expect(next(10, 100)).toBeLessThan(0.5);
  });

  it('keeps within its bounds and decides on numbers, whatever is counted', () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(rate, rate), { minLength: 5, maxLength: 5 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        (rates, alpha) => {
          const splits = rates.map(([decodes, misses], i) => ({ alpha: 0.1 + 0.2 * i, decodes, misses }));
          const decision = leastCostRule({ alpha, splits, decodeMs: 40, fetchMs: 100 }, limits);
          expect(decision.alpha).toBeGreaterThanOrEqual(limits.minAlpha);
          expect(decision.alpha).toBeLessThanOrEqual(limits.maxAlpha);
          expect(Math.abs(decision.alpha - alpha)).toBeLessThanOrEqual(limits.maxStep + 1e-9);
          expect(Math.abs(decision.gradient)).toBeLessThanOrEqual(1);
        },
      ),
    );
    expect(leastCostRule({ alpha: 0.4, splits: [], decodeMs: 40, fetchMs: 100 }, limits)).toEqual({
      alpha: 0.4,
      gradient: 0,
    });
  });
});
