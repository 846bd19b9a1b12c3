/** How near a decoded picture is to the one that was uploaded: PSNR and SSIM, as published comparisons compute them. */

const PEAK = 255;

/** Peak signal-to-noise ratio over all samples of two 8-bit pictures, in dB; Infinity where they are equal. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  if (a.byteLength !== b.byteLength) throw new RangeError(`pictures of ${a.byteLength} and ${b.byteLength} samples`);
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return psnrOf(squares, a.length);
}

/** PSNR in dB from the sum of squared differences of 8-bit samples. */
export function psnrOf(squares: number, samples: number): number {
  return squares === 0 ? Infinity : 10 * Math.log10((PEAK ** 2 * samples) / squares);
}

/** Half of the window of 11, and its standard deviation (Wang et al. 2004, section III.B). */
const RADIUS = 5;
const SIGMA = 1.5;
const WINDOW = 2 * RADIUS + 1;
/** Shortest side of a picture that SSIM is defined for: one window. */
export const MIN_SSIM_SIDE = WINDOW;
const C1 = (0.01 * PEAK) ** 2;
const C2 = (0.03 * PEAK) ** 2;
/** Weights of the window from its middle outwards. */
const WEIGHTS = gaussian();
/** x, y, x², y², xy. */
const MOMENTS = 5;

/**
 * Mean structural similarity of two interleaved 8-bit RGB pictures: a Gaussian window of 11 with σ = 1.5, population
 * variances, each channel on its own and then their mean; windows that reach over the border are left out.
 *
 * Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
 * 2004, with its constants; the same as scikit-image's `structural_similarity` with `gaussian_weights`.
 *
 * @throws RangeError where a side is shorter than {@link MIN_SSIM_SIDE}
 */
export function ssim(a: Uint8Array, b: Uint8Array, width: number, height: number): number {
  const samples = width * height * 3;
  if (a.byteLength !== samples || b.byteLength !== samples) throw new RangeError('the pictures do not have this size');
  if (Math.min(width, height) < MIN_SSIM_SIDE) throw new RangeError(`SSIM needs sides of ${MIN_SSIM_SIDE} pixels`);
  let sum = 0;
  for (let channel = 0; channel < 3; channel++) sum += channelSum(a, b, width, height, channel);
  return sum / (3 * (width - 2 * RADIUS) * (height - 2 * RADIUS));
}

/** One channel's sum: moments are filtered along rows into a ring of as many rows as the window has, then down columns. */
function channelSum(a: Uint8Array, b: Uint8Array, width: number, height: number, channel: number): number {
  const inside = width - 2 * RADIUS;
  const ring = Array.from({ length: WINDOW }, () => new Float64Array(MOMENTS * inside));
  const row = new Float64Array(MOMENTS * width);
  const down = new Float64Array(MOMENTS * inside);
  let sum = 0;
  for (let y = 0; y < height; y++) {
    readMoments(row, a, b, y * width * 3 + channel, width);
    filterRow(ring[y % WINDOW] ?? row, row, width, inside);
    if (y < WINDOW - 1) continue;
    filterColumns(down, ring, y - RADIUS);
    sum += similarity(down, inside);
  }
  return sum;
}

function readMoments(row: Float64Array, a: Uint8Array, b: Uint8Array, offset: number, width: number): void {
  for (let x = 0; x < width; x++) {
    const p = a[offset + 3 * x] ?? 0;
    const q = b[offset + 3 * x] ?? 0;
    row[x] = p;
    row[width + x] = q;
    row[2 * width + x] = p * p;
    row[3 * width + x] = q * q;
    row[4 * width + x] = p * q;
  }
}

function filterRow(out: Float64Array, row: Float64Array, width: number, inside: number): void {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0] = WEIGHTS;
  for (let moment = 0; moment < MOMENTS; moment++) {
    const from = moment * width + RADIUS;
    const to = moment * inside;
    for (let x = 0; x < inside; x++) {
      const i = from + x;
      out[to + x] =
        w0 * (row[i] ?? 0) +
        w1 * ((row[i - 1] ?? 0) + (row[i + 1] ?? 0)) +
        w2 * ((row[i - 2] ?? 0) + (row[i + 2] ?? 0)) +
        w3 * ((row[i - 3] ?? 0) + (row[i + 3] ?? 0)) +
        w4 * ((row[i - 4] ?? 0) + (row[i + 4] ?? 0)) +
        w5 * ((row[i - 5] ?? 0) + (row[i + 5] ?? 0));
    }
  }
}

/** @param middle the row that the window stands on */
function filterColumns(out: Float64Array, ring: readonly Float64Array[], middle: number): void {
  out.fill(0);
  for (let distance = -RADIUS; distance <= RADIUS; distance++) {
    const weight = WEIGHTS[Math.abs(distance)] ?? 0;
    const line = ring[(middle + distance) % WINDOW];
    if (line) for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) + weight * (line[i] ?? 0);
  }
}

function similarity(moments: Float64Array, inside: number): number {
  let sum = 0;
  for (let x = 0; x < inside; x++) {
    const p = moments[x] ?? 0;
    const q = moments[inside + x] ?? 0;
    const varianceP = (moments[2 * inside + x] ?? 0) - p * p;
    const varianceQ = (moments[3 * inside + x] ?? 0) - q * q;
    const covariance = (moments[4 * inside + x] ?? 0) - p * q;
    sum += ((2 * p * q + C1) * (2 * covariance + C2)) / ((p * p + q * q + C1) * (varianceP + varianceQ + C2));
  }
  return sum;
}

function gaussian(): readonly number[] {
  const weights = Array.from({ length: RADIUS + 1 }, (_, i) => Math.exp(-(i ** 2) / (2 * SIGMA ** 2)));
  const total = weights.reduce((sum, weight, i) => sum + (i === 0 ? weight : 2 * weight), 0);
  return weights.map((weight) => weight / total);
}
