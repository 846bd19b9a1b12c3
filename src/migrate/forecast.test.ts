import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecast, type SampledObject } from './forecast.js';
import type { ConvertedOutcome } from './outcome.js';
import { distribution, Reservoir } from './statistics.js';

const timings = { fetch: 1, convert: 1, write: 0, verify: 0 };
const prices = { storagePerGbMonth: 0.023, devicePerHour: 0.69 };

function converted(bytesBefore: number, bytesAfter: number): SampledObject {
  const outcome: ConvertedOutcome = {
    kind: 'converted',
    model: 'm',
    bytesBefore,
    bytesAfter,
    psnr: 45,
    ssim: 0.99,
    timings,
  };
  return { size: bytesBefore, outcome };
}

function kept(bytes: number): SampledObject {
  return { size: bytes, outcome: { kind: 'verbatim', reason: 'under-floor', detail: '', bytes, timings } };
}

describe('a forecast', () => {
  it('carries the share of bytes saved from the sample over to the whole', () => {
    const result = forecast({
      sample: [converted(1000, 200), kept(1000)],
      total: { objects: 200, bytes: 200_000 },
      sampleSeconds: 2,
      prices,
    });
    expect(result).toMatchObject({ savedShare: 0.4, savedBytes: 80_000, converted: 100, seconds: 200 });
    expect(result.verbatim).toEqual({ 'under-floor': 100 });
  });

  it('says when the saving has paid for the device', () => {
    const result = forecast({
      sample: [converted(1e9, 0)],
      total: { objects: 1, bytes: 1e9 },
      sampleSeconds: 3600,
      prices,
    });
    expect(result.deviceCost).toBeCloseTo(0.69);
    expect(result.savedPerMonth).toBeCloseTo(0.023);
    expect(result.monthsToPay).toBeCloseTo(30);
  });

  it('says that nothing saved never pays', () => {
    const result = forecast({ sample: [kept(10)], total: { objects: 1, bytes: 10 }, sampleSeconds: 1, prices });
    expect(result.monthsToPay).toBeNull();
  });

  it('forecasts nothing of nothing', () => {
    const result = forecast({ sample: [], total: { objects: 0, bytes: 0 }, sampleSeconds: 0, prices });
    expect(result).toMatchObject({ savedBytes: 0, savedShare: 0, seconds: 0, psnr: undefined });
  });

  it('is exact, with no error, where the sample is the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e6), fc.boolean()), { minLength: 1, maxLength: 50 }), (sizes) => {
        const sample = sizes.map(([size, fits]) => (fits ? converted(size + 5, 5) : kept(size + 5)));
        const bytes = sample.reduce((sum, { size }) => sum + size, 0);
        const saved = sizes.reduce((sum, [size, fits]) => sum + (fits ? size : 0), 0);
        const result = forecast({ sample, total: { objects: sample.length, bytes }, sampleSeconds: 1, prices });
        expect(result.savedBytes).toBe(saved);
        expect(result.savedShareError).toBe(0);
      }),
    );
  });
});

describe('statistics', () => {
  it('tells quartiles and the extremes', () => {
    expect(distribution([5, 1, 3, 2, 4])).toEqual({ count: 5, mean: 3, min: 1, p25: 2, p50: 3, p75: 4, max: 5 });
    expect(distribution([])).toBeUndefined();
  });

  it('draws every item equally often', () => {
    let state = 1;
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const drawn = Array.from({ length: 20 }, () => 0);
    for (let round = 0; round < 4000; round++) {
      const reservoir = new Reservoir<number>(5, random);
      for (let item = 0; item < 20; item++) reservoir.add(item);
      for (const item of reservoir.items) drawn[item] = (drawn[item] ?? 0) + 1;
    }
    for (const count of drawn) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
