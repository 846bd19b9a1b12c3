import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toFloat32 } from '../decode/half-floats.js';
import { packagePath } from '../package-root.js';
import { psnr } from './fidelity.js';
import { tileWeights, type Picture } from './latent-grid.js';
import { NEVER, startConverter, type StartedConverter } from './testing/started-converter.js';
import { VaeSession } from './vae-session.js';

const WHOLE = { maxPixels: 1 << 24, overlap: 6, blend: 2 };
/** Tiles of 12 cells a side at most, over 20 × 13 cells. */
const TILED = { ...WHOLE, maxPixels: 96 * 96 };
/** Sides that are not multiples of 8. */
const SIZE = { width: 155, height: 99 };

let started: StartedConverter;
let picture: Picture;
beforeAll(async () => {
  started = await startConverter();
  const file = await readFile(packagePath('samples/coffee.png'));
  const pixels = await sharp(file)
    .extract({ left: 40, top: 60, ...SIZE })
    .raw()
    .toBuffer();
  picture = { pixels, ...SIZE };
}, 60_000);
afterAll(() => started.close());

function session(tiling: typeof WHOLE): VaeSession {
  const [model] = started.models;
  if (!model) throw new Error('the bundled model is missing');
  return new VaeSession(started.pipeline, model, picture, NEVER, tiling);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (p: Float32Array, q: Float32Array): number => p.reduce((sum, value, i) => sum + value * (q[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('a VAE at work on a picture', () => {
  it('sees in its slope the very error of the picture that is served', async () => {
    const vae = session(WHOLE);
    const latent = await vae.encode();
    const decoded = await vae.decode(latent);
    const squares = decoded.reduce((sum, value, i) => sum + (value - (picture.pixels[i] ?? 0)) ** 2, 0);
    expect((await vae.slope(latent)).squares).toBeCloseTo(squares, -1);
  });

  it('has a slope along which the error falls', async () => {
    const vae = session(WHOLE);
    const latent = await vae.encode();
    const { squares, gradient } = await vae.slope(latent);
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const down = latent.map((value, i) => value - (0.02 * (gradient[i] ?? 0)) / largest);
    const up = latent.map((value, i) => value + (0.02 * (gradient[i] ?? 0)) / largest);
    expect((await vae.slope(down)).squares).toBeLessThan(squares);
    expect((await vae.slope(up)).squares).toBeGreaterThan(squares);
  });

  it('works in tiles as it does on the whole', async () => {
    const whole = session(WHOLE);
    const tiled = session(TILED);
    const latent = await whole.encode();
    const ofTiles = await tiled.encode();
    expect(ofTiles.length).toBe(latent.length);
    expect(cosine(ofTiles, latent)).toBeGreaterThan(0.99);
    expect(psnr(await tiled.decode(latent), await whole.decode(latent))).toBeGreaterThan(40);
    const [a, b] = [await whole.slope(latent), await tiled.slope(latent)];
    expect(b.squares / a.squares).toBeGreaterThan(0.95);
    expect(b.squares / a.squares).toBeLessThan(1.05);
    expect(cosine(a.gradient, b.gradient)).toBeGreaterThan(0.97);
  });
});

describe('the weights of tiles', () => {
  it('add up to one everywhere', () => {
    const axis = { size: 12, starts: [0, 4, 8] };
    const plan = { rows: axis, columns: axis, factor: 8, blend: 2 };
    for (const unit of [1, 8]) {
      const sum = new Float32Array(20 * unit);
      for (const [index, start] of axis.starts.entries()) {
        tileWeights(axis, plan, index, unit).forEach((weight, i) => {
          sum[start * unit + i] = (sum[start * unit + i] ?? 0) + weight;
        });
      }
      for (const value of sum) expect(value).toBeCloseTo(1, 6);
    }
  });
});

describe('the graph of a search’s step', () => {
  it('gives the gradient of the one-sided error by the decoder’s vector-Jacobian product', async () => {
    const [model] = started.models;
    if (!model) throw new Error('the bundled model is missing');
    const vae = session(WHOLE);
    const latent = await vae.encode();
    const { channels, rows, columns } = vae.shape;
    const [height, width] = [rows * 8, columns * 8];
    const bytes = (values: Float32Array) => new Uint8Array(values.slice().buffer);
    const run = async (cotangent: Float32Array) => {
      const inputs = [
        { type: 'float32', dims: [1, channels, rows, columns], data: bytes(latent) },
        { type: 'float32', dims: [1, 3, height, width], data: bytes(cotangent) },
      ] as const;
      const { outputs } = await started.pipeline.runGraph(model.name, 'decoderVjp', inputs, NEVER);
      return outputs.map(({ data }) => toFloat32(data, 'f32'));
    };
    const [sample] = await run(new Float32Array(3 * height * width));
    const cotangent = new Float32Array(3 * height * width);
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < SIZE.height; y++) {
        for (let x = 0; x < SIZE.width; x++) {
          const at = (c * height + y) * width + x;
          const level = picture.pixels[(y * SIZE.width + x) * 3 + c] ?? 0;
          const difference = (sample?.[at] ?? 0) - ((2 * level) / 255 - 1);
          const free = (level === 255 && difference > 0) || (level === 0 && difference < 0);
          cotangent[at] = free ? 0 : 2 * difference;
        }
      }
    }
    const [, expected] = await run(cotangent);
    const { gradient } = await vae.slope(latent);
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = gradient.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected?.[i] ?? 0))), 0);
    expect(worst / largest).toBeLessThan(1e-4);
  });
});
