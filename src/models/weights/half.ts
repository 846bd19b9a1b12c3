/** IEEE 754 binary16 and bfloat16 against binary32, for whole arrays. */

const MAX_FINITE_HALF = 65504;

/** binary16 values of 65,536 bit patterns, made at the first use. */
let halfTable: Float32Array | undefined;

/** Exact. */
export function halfToFloat(halves: Uint16Array): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
  const floats = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index += 1) {
    floats[index] = halfTable[halves[index] ?? 0] ?? 0;
  }
  return floats;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const bits32 = new Uint32Array(1);
const float32 = new Float32Array(bits32.buffer);

/** To the nearest, ties to even; beyond the largest half: infinity. */
export function floatToHalf(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let index = 0; index < floats.length; index += 1) {
    float32[0] = floats[index] ?? 0;
    const bits = bits32[0] ?? 0;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x47800000) {
      // 65,536 and more, infinity, NaN (kept quiet).
      halves[index] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    } else if (magnitude < 0x38800000) {
      // Below 2^-14: a multiple of 2^-24. Scaling is exact, and so is adding 2^23 to round.
      float32[0] = Math.abs(floats[index] ?? 0) * 2 ** 24;
      halves[index] = sign | roundHalfEven(float32[0]);
    } else {
      const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
      halves[index] = sign | ((rounded - 0x38000000) >>> 13);
    }
  }
  return halves;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest > 0.5 ? floor + 1 : floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Exact: a bfloat16 is the upper half of a binary32. */
export function bfloatToFloat(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  for (let index = 0; index < words.length; index += 1) bits[index] = (words[index] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** Whether every value keeps a finite half-precision form. */
export function fitsHalf(floats: Float32Array): boolean {
  return floats.every((value) => Math.abs(value) <= MAX_FINITE_HALF);
}
