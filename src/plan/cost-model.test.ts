import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computePlan } from './cost-model.js';
import { LIST_PRICES, overridePrices } from './prices.js';
import { PUBLISHED_WORKLOAD, type Workload } from './workload.js';

/** Prices of nothing, for tests that look at one of them. */
const FREE = {
  ...LIST_PRICES,
  standardGbMonth: 0,
  glacierGbMonth: 0,
  glacierRetrievalGb: 0,
  getThousand: 0,
  putThousand: 0,
  glacierGetThousand: 0,
  glacierTransitionThousand: 0,
  gpuHour: 0,
  gbBytes: 1e9,
};

/** A thousand images that are there, of 1 GB and 0.1 GB. */
const STILL: Workload = {
  ...PUBLISHED_WORKLOAD,
  existing: [1000],
  birthsPerMonth: 0,
  sizes: [{ share: 1, imageBytes: 1e9, latentBytes: 1e8 }],
  earlyViews: 0,
  viewsPerYear: 12,
  decodeShare: 0.5,
};

describe('the cost model', () => {
  it.each([
    [0.69, 0.4],
    [2.5, 0.91],
  ])('lands near the published ratio over 35 months at $%d a GPU hour', (gpuHour, published) => {
    const { ratio } = computePlan(PUBLISHED_WORKLOAD, { ...LIST_PRICES, gpuHour }, { months: 35 });
    expect(Math.abs(ratio / published - 1)).toBeLessThan(0.04);
  });

  it.each([
    [0.69, 0.7],
    [2.5, 0.46],
  ])('lands near the published saving by 2050 at $%d a GPU hour', (gpuHour, published) => {
    const prices = { ...LIST_PRICES, gpuHour, gpuDecline: 0.024 };
    const { ratio } = computePlan(PUBLISHED_WORKLOAD, prices, { months: 300 });
    expect(Math.abs(1 - ratio - published)).toBeLessThan(0.02);
  });

  it('bills storage by the month, and half of it for what is born in it', () => {
    const born = { ...STILL, existing: [], birthsPerMonth: 1000, viewsPerYear: 0 };
    const prices = { ...FREE, standardGbMonth: 0.02 };
    expect(computePlan(STILL, prices, { months: 3 }).png.storage).toBeCloseTo(3 * 1000 * 0.02);
    expect(computePlan(born, prices, { months: 3 }).png.storage).toBeCloseTo((0.5 + 1.5 + 2.5) * 1000 * 0.02);
    expect(computePlan(born, prices, { months: 3 }).latent.storage).toBeCloseTo(4.5 * 100 * 0.02);
  });

  it('bills small objects in Glacier as the least that is billed, and large ones as they are', () => {
    const small = { ...STILL, sizes: [{ share: 1, imageBytes: 400_000, latentBytes: 80_000 }], viewsPerYear: 0 };
    const prices = { ...FREE, glacierGbMonth: 1, glacierMinimumBytes: 131_072 };
    const { png, latent } = computePlan(small, prices, { months: 1, tierAfterYears: 0 });
    expect(png.storage).toBeCloseTo(1000 * 4e-4);
    expect(latent.storage).toBeCloseTo(1000 * 1.31072e-4);
  });

  it('applies the least to each size, not to the mean', () => {
    const sizes = [
      { share: 0.5, imageBytes: 2e6, latentBytes: 20_000 },
      { share: 0.5, imageBytes: 2e6, latentBytes: 500_000 },
    ];
    const prices = { ...FREE, glacierGbMonth: 1, glacierMinimumBytes: 100_000 };
    const { latent } = computePlan({ ...STILL, sizes }, prices, { months: 1, tierAfterYears: 0 });
    expect(latent.storage).toBeCloseTo(1000 * 3e-4);
  });

  it('moves images to Glacier at their age, and bills retrieval, requests and transitions there', () => {
    const prices = { ...FREE, standardGbMonth: 1, glacierGbMonth: 0.1 };
    const { months } = computePlan(STILL, prices, { months: 14, tierAfterYears: 1 });
    expect(months[11]?.png.storage).toBeCloseTo(11 * 1000 + 100);
    expect(months[13]?.png.storage).toBeCloseTo(11 * 1000 + 3 * 100);
    const reads = computePlan(
      STILL,
      { ...FREE, glacierRetrievalGb: 0.03, glacierGetThousand: 10 },
      { months: 2, tierAfterYears: 0 },
    );
    expect(reads.png.retrieval).toBeCloseTo(2 * 500 * 0.03);
    expect(reads.latent.retrieval).toBeCloseTo(2 * 50 * 0.03);
    expect(reads.png.requests).toBeCloseTo(10);
    const moves = computePlan(
      { ...STILL, viewsPerYear: 0 },
      { ...FREE, glacierTransitionThousand: 20 },
      { months: 14, tierAfterYears: 1 },
    );
    expect(moves.png.requests).toBeCloseTo(20);
  });

  it('pays for decodes, and once for encoding what is there', () => {
    const prices = { ...FREE, gpuHour: 3.6 };
    const { latent, png, gpuHours } = computePlan({ ...STILL, decodeMs: 100, encodeMs: 1000 }, prices, { months: 12 });
    expect(latent.gpu).toBeCloseTo(12 * 500 * 1e-4 + 1000 * 1e-3);
    expect(gpuHours * 3.6).toBeCloseTo(latent.gpu);
    expect(png.gpu).toBe(0);
  });

  it('lets prices fall by the year', () => {
    const still = { ...STILL, encodeMs: 0 };
    const flat = computePlan(still, { ...FREE, gpuHour: 1, standardGbMonth: 1 }, { months: 120 });
    const falling = computePlan(
      still,
      { ...FREE, gpuHour: 1, standardGbMonth: 1, gpuDecline: 0.2, storageDecline: 0.1 },
      { months: 120 },
    );
    const mean = (decline: number): number => (1 - (1 - decline) ** 10) / (-Math.log(1 - decline) * 10);
    expect(falling.latent.gpu / flat.latent.gpu).toBeCloseTo(mean(0.2), 3);
    expect(falling.png.storage / flat.png.storage).toBeCloseTo(mean(0.1), 3);
  });

  it('finds break-even points at which both stores really cost the same', () => {
    const workload = fc.record({
      viewsPerYear: fc.double({ min: 0.5, max: 50, noNaN: true }),
      decodeMs: fc.double({ min: 5, max: 500, noNaN: true }),
      encodeMs: fc.double({ min: 0, max: 200, noNaN: true }),
      gpuHour: fc.double({ min: 0.1, max: 5, noNaN: true }),
      tierAfterYears: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(workload, ({ gpuHour, tierAfterYears, ...rest }) => {
        const base = { ...PUBLISHED_WORKLOAD, existing: [1e6, 2e6], ...rest };
        const prices = { ...LIST_PRICES, gpuHour };
        const horizon = { months: 40, tierAfterYears };
        const { breakEven } = computePlan(base, prices, horizon);
        const { views } = breakEven;
        if (breakEven.gpuHour !== undefined)
          expect(computePlan(base, { ...prices, gpuHour: breakEven.gpuHour }, horizon).ratio).toBeCloseTo(1, 6);
        if (breakEven.decodeMs !== undefined)
          expect(computePlan({ ...base, decodeMs: breakEven.decodeMs }, prices, horizon).ratio).toBeCloseTo(1, 6);
        if (views !== undefined) {
          const scaled = { ...base, earlyViews: views * base.earlyViews, viewsPerYear: views * base.viewsPerYear };
          expect(computePlan(scaled, prices, horizon).ratio).toBeCloseTo(1, 6);
        }
      }),
    );
  });
});

describe('prices', () => {
  it('takes settings over the list prices', () => {
    expect(overridePrices(['gpuHour=2.5', 'gbBytes=1e9'])).toEqual({ ...LIST_PRICES, gpuHour: 2.5, gbBytes: 1e9 });
  });

  it.each(['gpu=1', 'gpuHour', 'gpuHour=', 'gpuHour=-1', 'gpuHour=cheap', 'gpuDecline=1', 'gbBytes=0', 'toString=1'])(
    'refuses %s',
    (setting) => {
      expect(() => overridePrices([setting])).toThrow(RangeError);
    },
  );
});
