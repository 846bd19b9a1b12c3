import { describe, expect, it } from 'vitest';
import { measureCalibration } from './calibration.js';
import { syntheticTrace } from './open-trace.js';

/** How far from the published figure a row may be: in its own unit for shares, relative for the others. */
const TOLERANCE = { '%': 1.5, relative: 0.02 };

describe('the calibration', () => {
  it.each([1, 2, 3])('meets every published target, seed %i', async (seed) => {
    const { rows, months, births } = await measureCalibration(syntheticTrace({ requests: 400_000, seed }));
    for (const { quantity, unit, target, value } of rows) {
      if (target === undefined) continue;
      const off =
        unit === '%' ? Math.abs(value - target) / TOLERANCE['%'] : Math.abs(value / target - 1) / TOLERANCE.relative;
      expect(off, `${quantity}: ${value} beside ${target}`).toBeLessThan(1);
    }
    expect(months).toBeGreaterThan(34);
    expect(months).toBeLessThan(37);
    // The catalogue grows evenly: no month bears much more than its part.
    const inner = births.slice(0, 34);
    const mean = inner.reduce((total, born) => total + born, 0) / inner.length;
    expect(Math.max(...inner.map((born) => Math.abs(born / mean - 1)))).toBeLessThan(0.05);
  });

  it('counts what can be counted by hand', async () => {
    const times = [0, 10, 10 + 3600, 10 + 3600 + 86_400, 31 * 86_400 + 100_000];
    const objects = [0, 1, 1, 1, 1];
    const trace = {
      name: 'by hand',
      requests: 5,
      objects: 2,
      async *batches() {
        yield {
          length: 5,
          times: Float64Array.from(times),
          objects: Uint32Array.from(objects),
          imageBytes: new Uint32Array(5).fill(100),
          latentBytes: new Uint32Array(5).fill(20),
        };
      },
    };
    const { rows } = await measureCalibration(trace);
    const value = (quantity: string): number | undefined => rows.find((row) => row.quantity === quantity)?.value;
    expect(value('images seen once')).toBe(50);
    expect(value('views per image')).toBe(2.5);
    expect(value('re-accesses within an hour')).toBeCloseTo(100 / 3);
    expect(value('re-accesses within a day')).toBeCloseTo(200 / 3);
    expect(value('re-accesses after more than 30 days')).toBeCloseTo(100 / 3);
    expect(value('mean size of an image as PNG')).toBe(100);
  });
});
