/** Raw RGB or RGBA to a PNG whose bytes are the same on every machine, with its ancillary chunks, at a chosen size. */
import { crc32 } from 'node:zlib';
import { CodecError } from '../errors.js';
import { combineAdler32, EMPTY_ADLER32 } from './checksum.js';
import type { PngAncillaryChunk, PngAncillaryChunks } from './chunks.js';
import {
  CHUNK_OVERHEAD_BYTES,
  framedBytes,
  isAncillaryType,
  MAX_CHUNK_BYTES,
  PADDING_CHUNK_TYPE,
  PNG_SIGNATURE,
  writeChunk,
} from './chunks.js';
import { deflateTail, MAX_EXTRA_TAIL_BYTES, SHORTEST_TAIL_BYTES } from './deflate-tail.js';
import type { EncodedPngStrip } from './encode-strip.js';
import { encodePngStrip } from './encode-strip.js';
import type { PngLayout } from './layout.js';
import { checkLayout, planPngStrips } from './layout.js';

/** Names the exact bytes that the writer makes at each effort; changes whenever any picture's bytes would. */
export const PNG_ENCODER_PROFILE = 'lbx-png-1';

export interface PngFileOptions {
  /** Written in order, byte for byte, at their recorded places; those before PLTE come first. Default none. */
  readonly chunks?: PngAncillaryChunks;
  /** Exact size of the file in bytes. Every size from the unpadded one up can be reached. Default: no padding. */
  readonly padToSize?: number;
}

export interface PngOptions extends PngLayout, PngFileOptions {}

const IHDR_BYTES = 13;
const ADLER_BYTES = 4;
const NO_CHUNKS: PngAncillaryChunks = { beforeIdat: [], afterIdat: [] };
const NO_DATA = new Uint8Array(0);

/**
 * Encodes a picture on the calling thread.
 *
 * @param pixels `width * height * channels` bytes, interleaved, 8 bits a sample
 * @returns the file; deterministic for a given {@link PNG_ENCODER_PROFILE}
 * @throws CodecError when the pixels do not fit the layout, a chunk is not ancillary, or the file is larger than `padToSize`
 */
export function encodePng(pixels: Uint8Array, options: PngOptions): Uint8Array {
  checkLayout(pixels, options);
  const strips = planPngStrips(options).map((strip) => encodePngStrip(pixels, options, strip));
  return assemblePng(strips, options);
}

/**
 * Joins the strips of {@link planPngStrips}, in order, each encoded by {@link encodePngStrip} on whatever thread.
 * Each strip becomes an IDAT chunk of its own.
 *
 * @throws CodecError when strips are missing, a chunk is not ancillary, or the file is larger than `padToSize`
 */
export function assemblePng(strips: readonly EncodedPngStrip[], options: PngOptions): Uint8Array {
  const last = strips.at(-1);
  const filteredBytes = strips.reduce((sum, strip) => sum + strip.filteredBytes, 0);
  if (last === undefined || filteredBytes !== options.height * (options.width * options.channels + 1)) {
    throw new CodecError('png', 'strips', `${filteredBytes} filtered bytes are not the whole picture`);
  }
  const chunks = options.chunks ?? NO_CHUNKS;
  const leading = [...(chunks.beforePlte ?? []), ...chunks.beforeIdat];
  const trailing = [...chunks.afterIdat];
  [...leading, ...trailing].forEach(checkAncillary);

  const unpadded =
    PNG_SIGNATURE.byteLength +
    (CHUNK_OVERHEAD_BYTES + IHDR_BYTES) +
    framedBytes(leading) +
    strips.reduce((sum, strip) => sum + CHUNK_OVERHEAD_BYTES + strip.data.byteLength, 0) +
    (SHORTEST_TAIL_BYTES + ADLER_BYTES) +
    framedBytes(trailing) +
    CHUNK_OVERHEAD_BYTES;
  const { tailBytes, paddingChunk } = planPadding(unpadded, options.padToSize);
  if (paddingChunk !== undefined) trailing.push(paddingChunk);

  const file = new Uint8Array(options.padToSize ?? unpadded);
  file.set(PNG_SIGNATURE);
  let offset = writeChunk(file, PNG_SIGNATURE.byteLength, 'IHDR', header(options));
  for (const chunk of leading) offset = writeChunk(file, offset, chunk.type, chunk.data);
  for (const strip of strips) {
    offset = writeIdat(file, offset, strip, strip === last ? streamEnd(strips, tailBytes) : NO_DATA);
  }
  for (const chunk of trailing) offset = writeChunk(file, offset, chunk.type, chunk.data);
  writeChunk(file, offset, 'IEND', NO_DATA);
  return file;
}

function checkAncillary({ type }: PngAncillaryChunk): void {
  if (!isAncillaryType(type)) {
    throw new CodecError(
      'png',
      `chunk ${JSON.stringify(type)}`,
      'an ancillary type is four letters, the first lower case',
    );
  }
}

/** A gap of 12 bytes or more is one padding chunk; a smaller one is legal ballast inside the zlib stream. */
function planPadding(unpadded: number, size = unpadded): { tailBytes: number; paddingChunk?: PngAncillaryChunk } {
  const gap = size - unpadded;
  if (!Number.isInteger(gap) || gap < 0) {
    throw new CodecError('png', 'padToSize', `${size} bytes cannot hold a file of ${unpadded}`);
  }
  if (gap <= MAX_EXTRA_TAIL_BYTES) return { tailBytes: gap };
  if (gap - CHUNK_OVERHEAD_BYTES > MAX_CHUNK_BYTES) {
    throw new CodecError('png', 'padToSize', `${gap} bytes of padding are more than one chunk holds`);
  }
  return { tailBytes: 0, paddingChunk: { type: PADDING_CHUNK_TYPE, data: new Uint8Array(gap - CHUNK_OVERHEAD_BYTES) } };
}

/** IHDR (PNG third edition, 11.2.1): 8 bits a sample, no interlacing. */
function header({ width, height, channels }: PngLayout): Uint8Array {
  const bytes = new Uint8Array(IHDR_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes[8] = 8;
  bytes[9] = channels === 3 ? 2 : 6;
  return bytes;
}

function streamEnd(strips: readonly EncodedPngStrip[], extraBytes: number): Uint8Array {
  const adler = strips.reduce((sum, strip) => combineAdler32(sum, strip.adler32, strip.filteredBytes), EMPTY_ADLER32);
  const tail = deflateTail(extraBytes);
  const end = new Uint8Array(tail.byteLength + ADLER_BYTES);
  end.set(tail);
  new DataView(end.buffer).setUint32(tail.byteLength, adler);
  return end;
}

/** Frames a strip whose CRC is known already, with what ends the stream behind the last one. */
function writeIdat(file: Uint8Array, offset: number, strip: EncodedPngStrip, end: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  view.setUint32(offset, strip.data.byteLength + end.byteLength);
  file.set([0x49, 0x44, 0x41, 0x54], offset + 4);
  file.set(strip.data, offset + 8);
  file.set(end, offset + 8 + strip.data.byteLength);
  const behind = offset + 8 + strip.data.byteLength + end.byteLength;
  view.setUint32(behind, crc32(end, strip.crc32));
  return behind + 4;
}
