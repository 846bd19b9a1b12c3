/** Bytes that may be kept: what is cached must not hold a larger buffer alive than it is counted for. */

/** Share of a buffer that may be unused before its used part is copied out. */
const TOLERATED_WASTE = 0.02;

/** The bytes themselves where they have a buffer of their own, else a copy. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  const unused = bytes.buffer.byteLength - bytes.byteLength;
  return unused <= bytes.byteLength * TOLERATED_WASTE ? bytes : new Uint8Array(bytes);
}
