/** How many of a tensor's low bits carry nothing. */
import type { DType, Tensor } from '../tensor.js';

/** Stored bits of the mantissa: with all of them zero there is nothing left to split off. */
const MANTISSA_BITS: Readonly<Record<DType, number>> = { f16: 10, bf16: 7, f32: 23 };

/**
 * Low mantissa bits that are zero in every element: 16 for f32 that holds bf16, 13 for f32 that holds f16, 3 for f16
 * that holds bf16 values of normal size. 0 for an empty tensor, and where all are zero.
 */
export function unusedLowBits({ dtype, data }: Tensor): number {
  let used = 0;
  const words = wordsOf(dtype, data);
  for (let index = 0; index < words.length; index++) used |= words[index] ?? 0;
  // The lowest set bit alone, and its position.
  const position = 31 - Math.clz32(used & -used);
  return position < 0 || position > MANTISSA_BITS[dtype] ? 0 : position;
}

function wordsOf(dtype: DType, data: Uint8Array): Uint16Array | Uint32Array {
  const size = dtype === 'f32' ? 4 : 2;
  const source = data.byteOffset % size === 0 ? data : data.slice();
  const { buffer, byteOffset, byteLength } = source;
  return size === 4
    ? new Uint32Array(buffer, byteOffset, byteLength / size)
    : new Uint16Array(buffer, byteOffset, byteLength / size);
}
