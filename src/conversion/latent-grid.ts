/** Which latent a picture needs, and how much each pixel of its padded decode counts. */
import type { TilePlan, AxisPlan } from '../decode/tiles.js';

/** Interleaved 8-bit RGB. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Pixels of one tile, `size · factor` a side, from a picture whose border repeats outwards. */
export function cutPixels(picture: Picture, top: number, left: number, plan: TilePlan): Uint8Array<ArrayBuffer> {
  const { pixels, width, height } = picture;
  const rows = plan.rows.size * plan.factor;
  const columns = plan.columns.size * plan.factor;
  const out = new Uint8Array(rows * columns * 3);
  const x0 = left * plan.factor;
  const inside = Math.min(columns, width - x0);
  for (let y = 0; y < rows; y++) {
    const source = (Math.min(top * plan.factor + y, height - 1) * width + x0) * 3;
    const target = y * columns * 3;
    out.set(pixels.subarray(source, source + inside * 3), target);
    for (let x = inside; x < columns; x++)
      out.copyWithin(target + x * 3, target + (inside - 1) * 3, target + inside * 3);
  }
  return out;
}

/**
 * How much tile `index` of an axis contributes to each of its own cells or pixels, as `composeTiles` blends them: 1 in its
 * own part, a linear fade over the blended bands, 0 in the context outside.
 *
 * @param unit 1 for cells, the plan's factor for pixels
 */
export function tileWeights(axis: AxisPlan, plan: TilePlan, index: number, unit: number): Float32Array {
  const weights = new Float32Array(axis.size * unit).fill(1);
  const start = axis.starts[index] ?? 0;
  const before = axis.starts[index - 1];
  const after = axis.starts[index + 1];
  if (before !== undefined) fade(weights, bandStart(before, start, axis, plan) - start, plan.blend, unit, 'in');
  if (after !== undefined) fade(weights, bandStart(start, after, axis, plan) - start, plan.blend, unit, 'out');
  return weights;
}

/** First cell of the band in which one tile fades into the next. */
function bandStart(first: number, second: number, axis: AxisPlan, plan: TilePlan): number {
  return second + Math.floor((first + axis.size - second - plan.blend) / 2);
}

function fade(weights: Float32Array, from: number, cells: number, unit: number, way: 'in' | 'out'): void {
  const start = from * unit;
  const length = cells * unit;
  for (let i = 0; i < weights.length; i++) {
    const share = Math.min(1, Math.max(0, (i - start + 0.5) / length));
    weights[i] = (weights[i] ?? 0) * (way === 'in' ? share : 1 - share);
  }
}
