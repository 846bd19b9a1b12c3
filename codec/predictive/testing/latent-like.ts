/** Tensors that have what latents have: neighbours that resemble each other, and channels that share a part. */
import { correlatedValues, tensorOf, truncateToBf16 } from '../../testing/tensors.js';
import type { Tensor } from '../../tensor.js';

/** Channels of a smooth field that share a part, as latents do. */
export function latentLike(dtype: 'f16' | 'bf16', shape: readonly [number, number, number], seed = 1): Tensor {
  const [channels, rows, columns] = shape;
  const plane = rows * columns;
  const shared = smoothField(rows, columns, seed);
  const values = new Float32Array(channels * plane);
  for (let channel = 0; channel < channels; channel++) {
    const own = smoothField(rows, columns, seed + 1 + channel);
    for (let i = 0; i < plane; i++) values[channel * plane + i] = (shared[i] ?? 0) + (own[i] ?? 0);
  }
  return tensorOf(dtype, shape, dtype === 'bf16' ? truncateToBf16(values) : halves(values));
}

/** Correlated along both axes. */
function smoothField(rows: number, columns: number, seed: number): Float32Array {
  const field = correlatedValues(rows * columns, 0.9, seed);
  for (let i = columns; i < field.length; i++) field[i] = 0.8 * (field[i - columns] ?? 0) + 0.6 * (field[i] ?? 0);
  return field;
}

/** Normal f16 numbers of f32 values from 2^-14 up, the others zero. */
function halves(values: Float32Array): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const half = Uint16Array.from(words, (word) => {
    const exponent = ((word >>> 23) & 0xff) - 112;
    return ((word >>> 16) & 0x8000) | (exponent <= 0 ? 0 : (exponent << 10) | ((word >>> 13) & 0x3ff));
  });
  return new Uint8Array(half.buffer);
}
