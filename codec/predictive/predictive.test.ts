import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError } from '../errors.js';
import {
  clearLowBits,
  correlatedValues,
  everyPattern,
  seededRandom,
  tensorOf,
  truncateToBf16,
} from '../testing/tensors.js';
import type { DType, Tensor } from '../tensor.js';
import { latentLike } from './testing/latent-like.js';
import { PREDICTIVE_MAX_ELEMENTS, predictiveCompress, predictiveDecompress } from './predictive.js';

const HEADER_BYTES = 32;

function compressed(tensor: Tensor): Uint8Array {
  const stream = predictiveCompress(tensor);
  if (stream === undefined) throw new Error('the codec left the tensor to another');
  return stream;
}

function expectRoundTrip(tensor: Tensor): Uint8Array {
  const stream = compressed(tensor);
  const back = predictiveDecompress(stream, tensor.dtype, tensor.shape);
  expect(Buffer.compare(back, tensor.data)).toBe(0);
  return stream;
}

describe('the predictive codec', () => {
  it.each(['f16', 'bf16'] as const)('keeps every %s pattern, in order and shuffled', (dtype) => {
    const tensor = everyPattern(dtype);
    expectRoundTrip(tensor);
    const words = new Uint16Array(tensor.data.slice().buffer);
    const random = seededRandom(3);
    for (let i = words.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [words[i], words[j]] = [words[j] ?? 0, words[i] ?? 0];
    }
    const stream = expectRoundTrip({ ...tensor, data: new Uint8Array(words.buffer) });
    expect(stream.byteLength).toBeLessThanOrEqual(tensor.data.byteLength + HEADER_BYTES);
  });

  it.each(['f16', 'bf16'] as const)('keeps every %s pattern where it breaks into a smooth field', (dtype) => {
    const tensor = latentLike(dtype, [8, 128, 128]);
    const words = new Uint16Array(tensor.data.buffer);
    for (let pattern = 0; pattern < 1 << 16; pattern++) words[pattern * 2] = pattern;
    expectRoundTrip(tensor);
  });

  it('keeps any tensor of any 16-bit type and shape, none and one element included', () => {
    const shapes = fc.tuple(fc.nat(5), fc.nat(13), fc.nat(13));
    fc.assert(
      fc.property(fc.constantFrom<DType>('f16', 'bf16'), shapes, fc.nat(), fc.nat(16), (dtype, shape, seed, bits) => {
        const count = shape[0] * shape[1] * shape[2];
        const random = seededRandom(seed);
        // From nearly constant to white: numbers that differ in their low `bits` only.
        const words = Uint16Array.from({ length: count }, () => 0x3c00 ^ Math.floor(random() * 2 ** bits));
        const stream = expectRoundTrip(tensorOf(dtype, shape, new Uint8Array(words.buffer)));
        expect(stream.byteLength).toBeLessThanOrEqual(2 * count + HEADER_BYTES);
      }),
      { numRuns: 300 },
    );
  });

  it.each(['f16', 'bf16'] as const)(
    'keeps what latents of %s look like, at any scale, in less than the noise costs',
    (dtype) => {
      for (const shape of [
        [1, 64, 64],
        [4, 64, 64],
        [5, 33, 47],
        [16, 128, 128],
      ] as const) {
        const tensor = latentLike(dtype, shape);
        const stream = expectRoundTrip(tensor);
        expect(stream.byteLength).toBeLessThan(tensor.data.byteLength * (dtype === 'bf16' ? 0.62 : 0.8));
        const scaled = new Uint16Array(tensor.data.slice().buffer).map(
          (word) => word - (dtype === 'bf16' ? 20 << 7 : 4 << 10),
        );
        expectRoundTrip({ ...tensor, data: new Uint8Array(scaled.buffer) });
      }
    },
  );

  it('keeps zeros of both signs, NaN payloads and infinities among ordinary values', () => {
    const tensor = latentLike('bf16', [4, 64, 64]);
    const words = new Uint16Array(tensor.data.buffer);
    [0x0000, 0x8000, 0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff, 0x0001, 0x8001].forEach(
      (word, i) => (words[500 * i] = word),
    );
    expectRoundTrip(tensor);
    words.fill(0x8000, 4096, 8192);
    words.fill(0, 8192, 12_288);
    expectRoundTrip(tensor);
  });

  it('does not let a few outliers spoil the rest', () => {
    const tensor = latentLike('bf16', [4, 64, 64]);
    const plain = compressed(tensor).byteLength;
    const words = new Uint16Array(tensor.data.buffer);
    for (let i = 0; i < 16; i++) words[1000 * i] = 0x7e00 + i;
    expect(expectRoundTrip(tensor).byteLength).toBeLessThan(plain * 1.03);
  });

  it('stores f32 that a 16-bit type holds as that type, and leaves other f32 alone', () => {
    const values = correlatedValues(4 * 32 * 32, 0.9);
    const shape = [4, 32, 32];
    const narrow = compressed(tensorOf('bf16', shape, truncateToBf16(values))).byteLength;
    expect(expectRoundTrip(tensorOf('f32', shape, clearLowBits(values, 16))).byteLength).toBe(narrow);
    // Every f16 as f32: subnormals, zeros, infinities and NaN payloads.
    const wide = Uint32Array.from({ length: 1 << 16 }, (_, half) => widenHalf(half));
    expectRoundTrip(tensorOf('f32', [4, 128, 128], new Uint8Array(wide.buffer)));
    expect(predictiveCompress(tensorOf('f32', shape, new Uint8Array(values.buffer)))).toBeUndefined();
  });

  it('spends nothing on mantissa bits that no element uses', () => {
    const tensor = latentLike('f16', [4, 64, 64]);
    const words = new Uint16Array(tensor.data.buffer);
    words.forEach((word, i) => (words[i] = word & 0xfff8));
    const narrow = expectRoundTrip(tensor).byteLength;
    words[77] = (words[77] ?? 0) | 1;
    const full = expectRoundTrip(tensor).byteLength;
    expect(narrow).toBeLessThan(full - (words.length * 2.9) / 8);
  });

  it('gives the same bytes on every machine', () => {
    const hash = createHash('sha256');
    for (const dtype of ['f16', 'bf16'] as const) hash.update(compressed(latentLike(dtype, [6, 48, 64])));
    expect(hash.digest('hex')).toBe('17a673465dc67cfbbcc2a19eda4f499cbcdc68d9adfef858dc60e3b1a3d14d63');
  });

  it('refuses shapes and lengths that do not fit, and leaves what is over its bound to others', () => {
    const bytes = new Uint8Array(8);
    const wrong = (field: string): unknown => expect.objectContaining({ format: 'predictive', field });
    expect(() => predictiveCompress(tensorOf('f16', [1, 4], bytes))).toThrow(wrong('shape'));
    expect(() => predictiveCompress(tensorOf('f16', [1, 1, 3], bytes))).toThrow(wrong('data'));
    const shape = [1, 4096, 4097];
    expect(predictiveCompress(tensorOf('f16', shape, new Uint8Array(2 * 4096 * 4097)))).toBeUndefined();
    expect(() => predictiveDecompress(bytes, 'f16', [1, 1, PREDICTIVE_MAX_ELEMENTS + 1])).toThrow(wrong('shape'));
    expect(() => predictiveDecompress(bytes, 'f16', [2 ** 31, 2 ** 31, 4])).toThrow(wrong('shape'));
    expect(() => predictiveDecompress(bytes, 'f16', [1, -1, 4])).toThrow(wrong('shape'));
  });
});

/** A half as a float, its NaN payload in the upper bits. */
function widenHalf(half: number): number {
  const sign = ((half & 0x8000) << 16) >>> 0;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return sign + 0x7f80_0000 + (fraction << 13);
  const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return sign + (new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0);
}

describe('a damaged stream', () => {
  const shape = [3, 24, 20];
  const tensor = latentLike('bf16', [3, 24, 20]);
  const stream = compressed(tensor);

  /** What a changed stream gives: the field that was refused, or a tensor of the right size, wrong as it may be. */
  function outcome(bytes: Uint8Array): string {
    try {
      return String(predictiveDecompress(bytes, 'bf16', shape).byteLength);
    } catch (error) {
      if (!(error instanceof CodecError) || error.cause !== undefined) throw error;
      return error.field;
    }
  }

  it.each([
    [0, 0, 'magic'],
    [4, 9, 'header'],
    [5, 2, 'header'],
    [6, 7, 'header'],
    [7, 1, 'header'],
    [8, 4, 'header'],
    [15, 0xff, 'header'],
    [23, 0xff, 'header'],
    [24, 1, 'header'],
  ])('is refused by its header when byte %i is %i', (offset, value, field) => {
    const changed = Uint8Array.from(stream);
    changed[offset] = value;
    expect(outcome(changed)).toBe(field);
  });

  it('is refused for another type or shape than the caller expects', () => {
    const field = (run: () => unknown): void => {
      expect(run).toThrow(expect.objectContaining({ format: 'predictive', field: 'header' }));
    };
    field(() => predictiveDecompress(stream, 'f16', shape));
    field(() => predictiveDecompress(stream, 'f32', shape));
    field(() => predictiveDecompress(stream, 'bf16', [3, 20, 24]));
  });

  it('is refused when it is cut anywhere or longer than it says', () => {
    for (let length = 0; length < stream.byteLength; length++)
      expect(outcome(stream.subarray(0, length))).toBe('header');
    expect(outcome(Buffer.concat([stream, Buffer.alloc(4)]))).toBe('header');
  });

  it('is refused or decodes to something of its size, whatever bits are flipped, and the engine stays sound', () => {
    for (let bit = 8 * HEADER_BYTES; bit < 8 * stream.byteLength; bit += 7) {
      const changed = Uint8Array.from(stream);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(outcome(changed)).toMatch(/^(model|stream [01]|2880)$/);
    }
    expect(Buffer.compare(predictiveDecompress(stream, 'bf16', shape), tensor.data)).toBe(0);
  });

  it('is refused or decodes to something of its size when its model and streams are noise', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 400; round++) {
      const changed = Uint8Array.from(stream);
      const from = HEADER_BYTES + Math.floor(random() * (stream.byteLength - HEADER_BYTES));
      const to = from + Math.floor(random() * (stream.byteLength - from)) + 1;
      for (let i = from; i < to; i++) changed[i] = random() * 256;
      expect(outcome(changed)).toMatch(/^(model|stream [01]|2880)$/);
    }
  });
});
