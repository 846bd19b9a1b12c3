/** Ends a deflate stream that stands on a byte boundary, in exactly as many bytes as asked. */

/** Bytes of the shortest tail: one final, empty block with fixed Huffman codes (3 header bits, 7 bits end of block). */
export const SHORTEST_TAIL_BYTES = 2;

/** Where a padding chunk cannot stand (a chunk takes 12 bytes at least), the tail takes up to this many bytes more. */
export const MAX_EXTRA_TAIL_BYTES = 11;

const EMPTY_FIXED_BLOCK_BITS = 10;
const STORED_BODY_BYTES = 4;

/**
 * A legal end of stream of `2 + extraBytes` bytes, `extraBytes` being 0 to 11: some empty fixed blocks, then a final
 * empty block that is fixed or stored. Ten bits a fixed block reach every size but two; the five-byte stored block,
 * which aligns itself, reaches those (RFC 1951, 3.2.3 to 3.2.6).
 */
export function deflateTail(extraBytes: number): Uint8Array {
  const length = SHORTEST_TAIL_BYTES + extraBytes;
  for (let emptyBlocks = 0; emptyBlocks <= MAX_EXTRA_TAIL_BYTES; emptyBlocks++) {
    const bits = emptyBlocks * EMPTY_FIXED_BLOCK_BITS;
    if (Math.ceil((bits + EMPTY_FIXED_BLOCK_BITS) / 8) === length) return tail(length, emptyBlocks, 'fixed');
    if (Math.ceil((bits + 3) / 8) + STORED_BODY_BYTES === length) return tail(length, emptyBlocks, 'stored');
  }
  throw new RangeError(`no deflate tail has ${extraBytes} bytes more than the shortest`);
}

function tail(length: number, emptyBlocks: number, last: 'fixed' | 'stored'): Uint8Array {
  const bytes = new Uint8Array(length);
  const setBit = (bit: number): void => void (bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7)));
  // Of an empty fixed block only the lower bit of its type (01) is set; its end-of-block code is seven zero bits.
  for (let block = 0; block < emptyBlocks; block++) setBit(block * EMPTY_FIXED_BLOCK_BITS + 1);
  const lastBlock = emptyBlocks * EMPTY_FIXED_BLOCK_BITS;
  setBit(lastBlock);
  if (last === 'fixed') setBit(lastBlock + 1);
  else bytes.fill(0xff, length - 2);
  return bytes;
}
