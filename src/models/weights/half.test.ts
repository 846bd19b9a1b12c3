import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloatToFloat, fitsHalf, floatToHalf, halfToFloat } from './half.js';

const allHalves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const isNaNHalf = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;

describe('half precision', () => {
  it('survives the way through float32 for all 65,536 patterns', () => {
    const back = floatToHalf(halfToFloat(allHalves));
    const changed = allHalves.filter((bits) => {
      const returned = back[bits] ?? 0;
      return isNaNHalf(bits) ? !isNaNHalf(returned) : returned !== bits;
    });
    expect([...changed]).toEqual([]);
  });

  it('rounds to the nearest half, ties to even', () => {
    const finite = [...allHalves].filter((bits) => (bits & 0x7fff) < 0x7c00 && bits < 0x8000);
    const values = halfToFloat(Uint16Array.from(finite));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: finite.length - 2 }), fc.constantFrom(0.25, 0.5, 0.75), (index, share) => {
        const low = values[index] ?? 0;
        const high = values[index + 1] ?? 0;
        const right = share < 0.5 || (share === 0.5 && index % 2 === 0) ? index : index + 1;
        expect(floatToHalf(Float32Array.of(low + (high - low) * share))[0]).toBe(finite[right]);
      }),
    );
  });

  it('turns what is too large into infinity and says so beforehand', () => {
    expect([...floatToHalf(Float32Array.of(65504, 65519, 65520, -1e6, Infinity))]).toEqual([
      0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00,
    ]);
    expect(fitsHalf(Float32Array.of(-65504, 1))).toBe(true);
    expect(fitsHalf(Float32Array.of(65520))).toBe(false);
    expect(fitsHalf(Float32Array.of(NaN))).toBe(false);
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32', () => {
    expect([...bfloatToFloat(Uint16Array.of(0x3f80, 0xc000, 0x0001))]).toEqual([1, -2, 2 ** -133]);
  });
});
