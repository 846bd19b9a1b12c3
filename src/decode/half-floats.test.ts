import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFloat16, toFloat32 } from './half-floats.js';

function bytes(words: readonly number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(words).buffer);
}

describe('half floats', () => {
  it('gives every binary16 number back after a round trip through binary32', () => {
    const words = Array.from({ length: 65_536 }, (_, i) => i).filter(
      (word) => (word & 0x7c00) !== 0x7c00 || (word & 0x3ff) === 0,
    );
    expect(Array.from(toFloat16(toFloat32(bytes(words), 'f16')))).toEqual(words);
  });

  it('reads published values', () => {
    expect(Array.from(toFloat32(bytes([0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555]), 'f16'))).toEqual([
      1,
      -2,
      65_504,
      2 ** -24,
      0.333251953125,
    ]);
    expect(Array.from(toFloat32(bytes([0x3f80, 0xc000, 0x3eab]), 'bf16'))).toEqual([1, -2, 0.333984375]);
  });

  it('rounds to the nearest binary16, half to even, and overflows to infinity', () => {
    const halves = toFloat16(
      Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65_519, 65_520, -1e9, 2 ** -25, 3 * 2 ** -25, Number.NaN),
    );
    expect(Array.from(halves)).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7c00, 0xfc00, 0x0000, 0x0002, 0x7e00]);
  });

  it('never rounds away from the nearer neighbour', () => {
    fc.assert(
      fc.property(fc.float({ min: -65_000, max: 65_000, noNaN: true }), (value) => {
        const half = toFloat16(Float32Array.of(value))[0] ?? 0;
        const error = Math.abs((toFloat32(bytes([half]), 'f16')[0] ?? 0) - value);
        for (const other of [half - 1, half + 1].filter(
          (word) => (word & 0x7fff) < 0x7c00 && word >= 0 && (word & 0x8000) === (half & 0x8000),
        )) {
          expect(error).toBeLessThanOrEqual(Math.abs((toFloat32(bytes([other]), 'f16')[0] ?? 0) - value));
        }
      }),
    );
  });

  it('reads values that are not aligned', () => {
    const shifted = new Uint8Array(9);
    shifted.set(new Uint8Array(Float32Array.of(1.5, -2.25).buffer), 1);
    expect(Array.from(toFloat32(shifted.subarray(1), 'f32'))).toEqual([1.5, -2.25]);
  });
});
