/** Adler-32 of a whole from the Adler-32 of its parts, so that strips need not be summed in order. */

const BASE = 65_521;

/** Adler-32 of no bytes (RFC 1950, 8.2). */
export const EMPTY_ADLER32 = 1;

/** The Adler-32 of `a` followed by `b`, from both sums and the number of bytes of `b` (as zlib's `adler32_combine`). */
export function combineAdler32(first: number, second: number, secondBytes: number): number {
  const firstA = first & 0xffff;
  const firstB = first >>> 16;
  const secondA = second & 0xffff;
  const secondB = second >>> 16;
  const a = (firstA + secondA + BASE - 1) % BASE;
  const b = (firstB + secondB + (secondBytes % BASE) * ((firstA + BASE - 1) % BASE)) % BASE;
  return ((b << 16) | a) >>> 0;
}
