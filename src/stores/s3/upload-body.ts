/** How an upload's body goes to the backing store: small ones from memory, so that they can be retried; others streamed. */
import type { Readable } from 'node:stream';

/** Bodies up to this size are held in memory; also the size of a part where the length is not known. */
export const PART_BYTES = 8 << 20;

/** S3's bounds of one upload. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_SINGLE_PUT_BYTES = 5 * 2 ** 30;
const MAX_PARTS = 10_000;

/** Yields pieces of exactly `size` bytes, the last one shorter; at least one, which may be empty. */
export async function* inPieces(body: Readable, size: number): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    let rest = chunk;
    while (length + rest.byteLength >= size) {
      const taken = size - length;
      pending.push(rest.subarray(0, taken));
      yield Buffer.concat(pending, size);
      rest = rest.subarray(taken);
      pending = [];
      length = 0;
    }
    if (rest.byteLength > 0) {
      pending.push(rest);
      length += rest.byteLength;
    }
  }
  yield Buffer.concat(pending, length);
}

/** Bytes of a part such that an upload of `length` bytes stays under S3's number of parts. */
export function partBytes(length: number | undefined): number {
  return length === undefined ? PART_BYTES : Math.max(PART_BYTES, Math.ceil(length / MAX_PARTS));
}
