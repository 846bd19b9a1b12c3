/** Tensors for tests: every bit pattern, seeded noise, and values of a narrower type held in a wider one. */
import type { DType, Tensor } from '../tensor.js';

/** All 65,536 values of a 16-bit type once: every NaN payload, both zeros, subnormals and infinities. */
export function everyPattern(dtype: 'f16' | 'bf16', shape: readonly number[] = [4, 128, 128]): Tensor {
  const words = Uint16Array.from({ length: 1 << 16 }, (_, index) => index);
  return { dtype, shape, data: new Uint8Array(words.buffer) };
}

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Neighbouring Gaussian values with the given correlation, as f32 bytes. */
export function correlatedValues(count: number, correlation: number, seed = 1): Float32Array {
  const random = seededRandom(seed);
  const values = new Float32Array(count);
  let previous = 0;
  for (let index = 0; index < count; index++) {
    const gaussian = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    previous = correlation * previous + Math.sqrt(1 - correlation ** 2) * gaussian;
    values[index] = previous;
  }
  return values;
}

/** The upper halves of f32 values. */
export function truncateToBf16(values: Float32Array): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

/** f32 values with their low bits cleared: what a narrower type leaves when it is widened. */
export function clearLowBits(values: Float32Array, bits: number): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return new Uint8Array(words.map((word) => (word >>> bits) << bits).buffer);
}

export function tensorOf(dtype: DType, shape: readonly number[], data: Uint8Array): Tensor {
  return { dtype, shape, data };
}
