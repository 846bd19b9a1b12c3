import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GraphLatent } from './prepare-latent.js';
import type { TileOptions } from './tiles.js';
import { composeTiles, cutTiles, planTiles, tileCount } from './tiles.js';

const OPTIONS: TileOptions = { factor: 2, maxPixels: 40 * 40 * 4, overlap: 12, blend: 4 };

/** A latent of one channel whose cell values are their own positions. */
function positions(height: number, width: number): GraphLatent {
  const values = Float32Array.from({ length: height * width }, (_, i) => i);
  return { precision: 'f32', channels: 1, height, width, data: new Uint8Array(values.buffer) };
}

/** "Decodes" a tile of positions: every pixel shows its cell's true place modulo 251, as a decoder without seams would. */
function decodePositions(tile: Uint8Array<ArrayBuffer>, height: number, width: number, factor: number): Uint8Array {
  const cells = new Float32Array(tile.buffer);
  const out = new Uint8Array(height * width * factor ** 2 * 3);
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const cell = cells[Math.floor(y / factor) * width + Math.floor(x / factor)] ?? 0;
      out.fill(cell % 251, (y * width * factor + x) * 3, (y * width * factor + x) * 3 + 3);
    }
  }
  return out;
}

describe('tiles', () => {
  it('leaves a picture at the bound whole', () => {
    expect(tileCount(planTiles(40, 40, OPTIONS))).toBe(1);
    expect(tileCount(planTiles(40, 41, OPTIONS))).toBe(2);
  });

  it('cuts 2048² of an f8 model into four equal tiles under 1.5 megapixels', () => {
    const plan = planTiles(256, 256, { factor: 8, maxPixels: 1_500_000, overlap: 48, blend: 16 });
    expect(plan).toMatchObject({ rows: { size: 152, starts: [0, 104] }, columns: { size: 152, starts: [0, 104] } });
  });

  it('covers everything with overlaps no smaller than asked and no tile over the bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 40, max: 300 }), (height, width) => {
        const plan = planTiles(height, width, OPTIONS);
        expect(plan.rows.size * plan.columns.size * plan.factor ** 2).toBeLessThanOrEqual(OPTIONS.maxPixels);
        for (const [axis, length] of [
          [plan.rows, height],
          [plan.columns, width],
        ] as const) {
          expect(axis.starts[0]).toBe(0);
          expect((axis.starts.at(-1) ?? 0) + axis.size).toBe(length);
          for (const [i, start] of axis.starts.slice(1).entries()) {
            expect((axis.starts[i] ?? 0) + axis.size - start).toBeGreaterThanOrEqual(OPTIONS.overlap);
          }
        }
      }),
    );
  });

  it('puts every pixel back in its place where the tiles agree, with the padding cut off', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 110 }),
        fc.integer({ min: 41, max: 110 }),
        fc.integer({ min: 0, max: 1 }),
        (height, width, crop) => {
          const latent = positions(height, width);
          const plan = planTiles(height, width, OPTIONS);
          const tiles = cutTiles(latent, plan).map((tile) =>
            decodePositions(tile, plan.rows.size, plan.columns.size, plan.factor),
          );
          const [outWidth, outHeight] = [width * 2 - crop, height * 2 - crop];
          const picture = composeTiles(tiles, plan, outWidth, outHeight);
          const expected = decodePositions(latent.data, height, width, plan.factor);
          for (let y = 0; y < outHeight; y++) {
            const row = picture.subarray(y * outWidth * 3, (y + 1) * outWidth * 3);
            expect(Buffer.compare(row, expected.subarray(y * width * 6, y * width * 6 + outWidth * 3))).toBe(0);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('fades evenly from one tile into the next', () => {
    const plan = planTiles(10, 200, { ...OPTIONS, maxPixels: 10 * 120 * 4 });
    const [left, right] = [0, 200].map((value) =>
      new Uint8Array(plan.rows.size * plan.columns.size * 4 * 3).fill(value),
    );
    if (left === undefined || right === undefined) throw new Error('two tiles');
    const picture = composeTiles([left, right], plan, 400, 20);
    const row = Array.from({ length: 400 }, (_, x) => picture[x * 3] ?? -1);
    const fading = row.filter((value) => value > 0 && value < 200);
    expect(fading).toEqual([13, 38, 63, 88, 113, 138, 163, 188]);
    expect(row).toEqual([...row].sort((a, b) => a - b));
    expect(fading).toHaveLength(OPTIONS.blend * OPTIONS.factor);
  });

  it('gives a fixed-size graph its size: a small latent is extended, a large one cut', () => {
    const fixed = { ...OPTIONS, fixed: { height: 32, width: 32 } };
    const small = positions(3, 5);
    const plan = planTiles(3, 5, fixed);
    const [tile] = cutTiles(small, plan);
    if (tile === undefined) throw new Error('one tile');
    const cells = new Float32Array(tile.buffer);
    expect([cells.length, cells[4], cells[31], cells[2 * 32], cells[31 * 32 + 31]]).toEqual([1024, 4, 4, 10, 14]);
    const large = planTiles(70, 32, fixed);
    expect(large).toMatchObject({ rows: { size: 32, starts: [0, 19, 38] }, columns: { size: 32, starts: [0] } });
  });

  it('refuses overlaps that its tiles cannot hold', () => {
    expect(() => planTiles(100, 100, { ...OPTIONS, maxPixels: 15 * 15 * 4 })).toThrow(/cannot hold an overlap/);
    expect(() => planTiles(100, 100, { ...OPTIONS, blend: 20 })).toThrow(/cannot hold a blend/);
  });
});
