/** Walks the chunks of a PNG: framing, CRCs and bounds, before anybody looks at what a chunk means. */
import { crc32 } from 'node:zlib';
import { CodecError } from '../errors.js';
import { CHUNK_OVERHEAD_BYTES, isChunkType, MAX_CHUNK_BYTES, PNG_SIGNATURE } from './chunks.js';

/** A chunk whose CRC is right; `data` is a view of the file. */
export interface FramedChunk {
  readonly type: string;
  /** Of the length field, from the start of the file. */
  readonly offset: number;
  readonly data: Uint8Array;
}

/** An error that names a chunk and where it begins. */
export function chunkError(type: string, offset: number, problem: string): CodecError {
  return new CodecError('png', `chunk ${type} at byte ${offset}`, problem);
}

/**
 * The chunks in file order up to IEND, each checked when the iteration reaches it.
 *
 * @throws CodecError when the signature, a length, a type or a CRC is wrong, or the file ends before IEND
 */
export function* walkChunks(bytes: Uint8Array, maxChunks: number): Generator<FramedChunk, void, undefined> {
  if (PNG_SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    throw new CodecError('png', 'signature', 'the file does not begin with the eight bytes of a PNG');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = PNG_SIGNATURE.byteLength;
  for (let count = 0; count < maxChunks; count++) {
    if (bytes.byteLength - offset < CHUNK_OVERHEAD_BYTES) {
      throw new CodecError('png', `byte ${offset}`, 'the file ends where a chunk should begin; IEND is missing');
    }
    const length = view.getUint32(offset);
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (!isChunkType(type)) throw chunkError(JSON.stringify(type), offset, 'a type is four ASCII letters');
    if (length > MAX_CHUNK_BYTES) throw chunkError(type, offset, `a length of ${length} is over 2^31 - 1`);
    const end = offset + 8 + length;
    if (end + 4 > bytes.byteLength) {
      throw chunkError(type, offset, `${length} bytes of data reach beyond the end of the file`);
    }
    const stored = view.getUint32(end);
    const computed = crc32(bytes.subarray(offset + 4, end));
    if (stored !== computed) {
      throw chunkError(type, offset, `the CRC is ${hex(computed)} where the file says ${hex(stored)}`);
    }
    yield { type, offset, data: bytes.subarray(offset + 8, end) };
    if (type === 'IEND') return;
    offset = end + 4;
  }
  throw new CodecError('png', `byte ${offset}`, `more than ${maxChunks} chunks`);
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
