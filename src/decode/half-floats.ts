/** Conversions between the element types of latents and of graphs: f16, bf16 and f32, on whole arrays. */
import type { DType } from '../../codec/tensor.js';
import { BYTES_PER_ELEMENT } from '../../codec/tensor.js';

const bits = new Uint32Array(1);
const asFloat = new Float32Array(bits.buffer);

/** binary16 → binary32 for every one of the 65,536 patterns (256 KiB, made at first use). */
let halfTable: Float32Array | undefined;

function halfToFloat(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return (sign === 0 ? 1 : -1) * mantissa * 2 ** -24;
  bits[0] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13);
  return asFloat[0] ?? 0;
}

function makeHalfTable(): Float32Array {
  const table = new Float32Array(65_536);
  for (let half = 0; half < 65_536; half++) table[half] = halfToFloat(half);
  return table;
}

/** Rounds one binary32 to binary16, half to even, overflow to infinity (IEEE 754, section 4.3.1). */
function floatBitsToHalf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: the value in units of 2^-24; the sum is exact in a double and the rounding below is half to even.
    bits[0] = magnitude;
    const units = (asFloat[0] ?? 0) * 2 ** 24;
    const floor = Math.floor(units);
    const rest = units - floor;
    return sign | (rest > 0.5 || (rest === 0.5 && (floor & 1) === 1) ? floor + 1 : floor);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** A view of little-endian bytes as 16-bit words; copies only where the bytes are not aligned. */
function words16(data: Uint8Array): Uint16Array {
  const aligned = data.byteOffset % 2 === 0 ? data : data.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, data.byteLength / 2);
}

/** A view of little-endian bytes as binary32; copies only where the bytes are not aligned. */
function floats32(data: Uint8Array): Float32Array {
  const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, data.byteLength / 4);
}

/** The values of `data` as binary32: exact for every source type. May be a view of `data`. */
export function toFloat32(data: Uint8Array, dtype: DType): Float32Array {
  if (data.byteLength % BYTES_PER_ELEMENT[dtype] !== 0)
    throw new RangeError(`${data.byteLength} bytes are no whole number of ${dtype} values`);
  if (dtype === 'f32') return floats32(data);
  const words = words16(data);
  const out = new Float32Array(words.length);
  if (dtype === 'f16') {
    widenHalf(words, out);
  } else {
    const outBits = new Uint32Array(out.buffer);
    for (let i = 0; i < words.length; i++) outBits[i] = (words[i] ?? 0) << 16;
  }
  return out;
}

/** binary16 → binary32, exactly, into memory that is there already: a table takes a sixth of a millisecond for 2^18 values. */
export function widenHalf(words: Uint16Array, out: Float32Array): void {
  const table = (halfTable ??= makeHalfTable());
  for (let i = 0; i < words.length; i++) out[i] = table[words[i] ?? 0] ?? 0;
}

/** The values rounded to binary16, half to even. */
export function toFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) out[i] = floatBitsToHalf(words[i] ?? 0);
  return out;
}
