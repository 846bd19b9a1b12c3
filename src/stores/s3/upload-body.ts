/** How an upload's body goes to the backing store: small ones from memory, so that they can be retried; others streamed. */
import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { S3Error } from '../../../s3-api/errors.js';

/** Bodies up to this size are held in memory; also the least size of a part where a body is cut into parts. */
export const PART_BYTES = 8 << 20;

/** S3's bounds of one upload. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_SINGLE_PUT_BYTES = 5 * 2 ** 30;
const MAX_PARTS = 10_000;
/** Parts of a body of unknown length double after so many, so that 10,000 of them hold S3's largest object. */
const PARTS_PER_SIZE = 1000;
const MAX_PART_BYTES = 256 << 20;

/** Chunks of a framed body but the last. @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
const MIN_CHUNK_BYTES = 8192;

/** Yields pieces of `size(n)` bytes for n = 1, 2, …, the last one shorter; at least one, which may be empty. */
export async function* inPieces(body: Readable, size: (partNumber: number) => number): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let length = 0;
  let count = 1;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    let rest = chunk;
    while (length + rest.byteLength >= size(count)) {
      const taken = size(count) - length;
      pending.push(rest.subarray(0, taken));
      yield Buffer.concat(pending, size(count));
      count++;
      rest = rest.subarray(taken);
      pending = [];
      length = 0;
    }
    if (rest.byteLength > 0) {
      pending.push(rest);
      length += rest.byteLength;
    }
  }
  if (length > 0 || count === 1) yield Buffer.concat(pending, length);
}

/** Bytes of part `partNumber` such that an upload of `length` bytes (or of any) stays under S3's number of parts. */
export function partSizes(length: number | undefined): (partNumber: number) => number {
  if (length !== undefined) {
    const size = Math.max(PART_BYTES, Math.ceil(length / MAX_PARTS));
    return () => size;
  }
  return (partNumber) => Math.min(MAX_PART_BYTES, PART_BYTES * 2 ** Math.floor((partNumber - 1) / PARTS_PER_SIZE));
}

/**
 * The same bytes in chunks that S3 takes: the SDK frames each chunk as it comes, and S3 answers InvalidChunkSizeError to
 * one under 8 KiB that is not the last. What clients send arrives in pieces of any size. A large chunk passes uncopied.
 *
 * Failing and ending early go both ways between `body` and the result.
 */
export function inValidChunks(body: Readable): Readable {
  let pending: Uint8Array[] = [];
  let length = 0;
  const joined = () => {
    const [first] = pending;
    const chunk = pending.length === 1 && first ? first : Buffer.concat(pending, length);
    pending = [];
    length = 0;
    return chunk;
  };
  const chunks = new Transform({
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      pending.push(chunk);
      length += chunk.byteLength;
      if (length < MIN_CHUNK_BYTES) done();
      else done(null, joined());
    },
    flush: (done) => (length > 0 ? done(null, joined()) : done()),
  });
  // Both ends hear of a fault by themselves; the request watches the result.
  return pipeline(body, chunks, () => undefined);
}

/** A whole small body. Rejects with its error, or IncompleteBody where it is not of the announced length. */
export async function readSmall(body: Readable, announced: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length > announced) break;
  }
  checkLength(length, announced);
  return Buffer.concat(chunks, length);
}

export function checkLength(length: number, announced: number | undefined): void {
  if (announced === undefined || length === announced) return;
  throw new S3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
    { fields: { NumberBytesExpected: String(announced), NumberBytesProvided: String(length) } },
  );
}
