import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaptiveRule, fixedStepRule, type BorderWindow } from './border-rule.js';

const LIMITS = { minAlpha: 0.05, maxAlpha: 0.95, minStep: 0.002, maxStep: 0.05 };

const QUIET: BorderWindow = {
  requests: 1000,
  imageMisses: 500,
  misses: 100,
  imageTailHits: 0,
  latentTailHits: 0,
  imageTailBytes: 1e6,
  latentTailBytes: 1e6,
  imageGhostLatentHits: 0,
  imageGhostMisses: 0,
  imageGhostBytes: 1e6,
  latentGhostMisses: 0,
  latentGhostBytes: 1e6,
  decodeMs: 40,
  fetchMs: 100,
  alpha: 0.5,
  step: 0,
  imageGain: 0,
  latentGain: 0,
};

describe('fixedStepRule', () => {
  const limits = { ...LIMITS, minStep: 0.01, maxStep: 0.01 };

  it('weighs tail hits as published: T_i (L_dec + M_l L_fetch) against T_l L_fetch, per byte of tail', () => {
    // M_l = 100 / 500: an image tail hit is worth 40 + 0.2 · 100 = 60 ms, a latent tail hit 100 ms.
    const decide = (imageTailHits: number, latentTailHits: number, imageTailBytes = 1e6) =>
      fixedStepRule({ ...QUIET, imageTailHits, latentTailHits, imageTailBytes }, limits);
    expect(decide(10, 5)).toMatchObject({ alpha: 0.51, imageGain: (10 * 60) / 1000 / 1e6 });
    expect(decide(10, 7).alpha).toBeCloseTo(0.49);
    expect(decide(10, 6)).toMatchObject({ alpha: 0.5, step: 0 });
    expect(decide(10, 5, 2e6).alpha).toBeCloseTo(0.49);
  });

  it('stays where nothing was hit, and within its bounds', () => {
    expect(fixedStepRule(QUIET, limits).alpha).toBe(0.5);
    expect(fixedStepRule({ ...QUIET, alpha: 0.945, imageTailHits: 1 }, limits).alpha).toBe(0.95);
    expect(fixedStepRule({ ...QUIET, alpha: 0.055, latentTailHits: 1 }, limits).alpha).toBe(0.05);
  });
});

describe('adaptiveRule', () => {
  it('lengthens its step while it goes one way and shortens it when it turns', () => {
    let window: BorderWindow = { ...QUIET, imageGhostLatentHits: 100 };
    const steps: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      const decision = adaptiveRule(window, LIMITS);
      steps.push(decision.step);
      window = { ...window, ...decision };
    }
    expect(steps[0]).toBe(LIMITS.minStep);
    expect(steps.at(-1)).toBe(LIMITS.maxStep);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    // The gains are smoothed: it takes a few windows until the turn is believed.
    window = { ...window, imageGhostLatentHits: 0, latentGhostMisses: 1000 };
    let turned = adaptiveRule(window, LIMITS);
    while (turned.step > 0) turned = adaptiveRule({ ...window, ...turned }, LIMITS);
    expect(turned.step).toBeCloseTo(-LIMITS.maxStep / 2);
  });

  it('values a ghost of the image tier by what its request cost', () => {
    const gain = (ghosts: Partial<BorderWindow>) => adaptiveRule({ ...QUIET, ...ghosts }, LIMITS).imageGain;
    expect(gain({ imageGhostMisses: 10 }) / gain({ imageGhostLatentHits: 10 })).toBeCloseTo(140 / 40);
  });

  it('keeps within its bounds and decides on numbers, whatever is counted', () => {
    const count = fc.nat({ max: 10_000 });
    const window = fc.record({
      imageTailHits: count,
      latentTailHits: count,
      imageGhostLatentHits: count,
      imageGhostMisses: count,
      latentGhostMisses: count,
      requests: count,
      imageMisses: count,
      misses: count,
      imageTailBytes: count,
      latentTailBytes: count,
      imageGhostBytes: count,
      latentGhostBytes: count,
      step: fc.double({ min: -0.05, max: 0.05, noNaN: true }),
      alpha: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    });
    fc.assert(
      fc.property(window, fc.constantFrom(adaptiveRule, fixedStepRule), (counted, rule) => {
        const { alpha, step, imageGain, latentGain } = rule({ ...QUIET, ...counted }, LIMITS);
        expect(alpha).toBeGreaterThanOrEqual(LIMITS.minAlpha);
        expect(alpha).toBeLessThanOrEqual(LIMITS.maxAlpha);
        expect(Math.abs(step)).toBeLessThanOrEqual(LIMITS.maxStep);
        expect(Number.isFinite(imageGain + latentGain)).toBe(true);
      }),
    );
  });
});
