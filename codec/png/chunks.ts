/** PNG chunks as bytes: the ones a picture carries beside its pixels, and how any chunk is framed. */
import { crc32 } from 'node:zlib';
import { CodecError } from '../errors.js';

/** One ancillary chunk: four ASCII letters, the first lower case, and its data without length and CRC. */
export interface PngAncillaryChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** The ancillary chunks of a picture in file order, by where they stand among the critical chunks. */
export interface PngAncillaryChunks {
  /** Before PLTE; absent or empty where the file has no palette. */
  readonly beforePlte?: readonly PngAncillaryChunk[];
  /** Before the first IDAT, and after PLTE where there is one. */
  readonly beforeIdat: readonly PngAncillaryChunk[];
  /** Between the last IDAT and IEND. */
  readonly afterIdat: readonly PngAncillaryChunk[];
}

/** The eight bytes every PNG begins with (PNG third edition, 5.2). */
export const PNG_SIGNATURE: Uint8Array = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Length, type and CRC around a chunk's data. */
export const CHUNK_OVERHEAD_BYTES = 12;

/** The largest length field of a chunk (PNG third edition, 5.3). */
export const MAX_CHUNK_BYTES = 2 ** 31 - 1;

/**
 * The private chunk that pads a picture to a recorded size. By its letters: ancillary, private, and *unsafe* to copy, so
 * that an editor that changes the picture drops bytes whose only purpose was the size of the old file.
 */
export const PADDING_CHUNK_TYPE = 'lbPD';

const CHUNK_TYPE = /^[a-zA-Z]{4}$/;
const ANCILLARY_TYPE = /^[a-z][a-zA-Z]{3}$/;

export function isChunkType(type: string): boolean {
  return CHUNK_TYPE.test(type);
}

export function isAncillaryType(type: string): boolean {
  return ANCILLARY_TYPE.test(type);
}

/**
 * Frames one chunk into `target` at `offset` and returns the offset behind it; computes the CRC over type and data.
 *
 * @throws CodecError when the type is not four letters or the data is longer than a chunk may be
 */
export function writeChunk(target: Uint8Array, offset: number, type: string, data: Uint8Array): number {
  if (!isChunkType(type)) throw new CodecError('png', `chunk ${JSON.stringify(type)}`, 'a type is four ASCII letters');
  if (data.byteLength > MAX_CHUNK_BYTES) throw new CodecError('png', `chunk ${type}`, 'longer than 2^31 - 1 bytes');
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint32(offset, data.byteLength);
  for (let i = 0; i < 4; i++) target[offset + 4 + i] = type.charCodeAt(i);
  target.set(data, offset + 8);
  const end = offset + 8 + data.byteLength;
  view.setUint32(end, crc32(target.subarray(offset + 4, end)));
  return end + 4;
}

/** Bytes that these chunks take in a file. */
export function framedBytes(chunks: readonly PngAncillaryChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + CHUNK_OVERHEAD_BYTES + chunk.data.byteLength, 0);
}
