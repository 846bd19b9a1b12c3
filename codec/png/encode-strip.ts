/** Filters and deflates one strip of a picture. */
import { crc32 } from 'node:zlib';
import type { PngLayout, PngStrip } from './layout.js';
import { deflateStrip } from './wasm-strip.js';

/** A strip's part of the zlib stream and what {@link assemblePng} needs to join it to the others. */
export interface EncodedPngStrip {
  /** Deflate blocks that end on a byte boundary, none of them final; the first strip's begin with the zlib header. */
  readonly data: Uint8Array;
  /** Of the chunk type `IDAT` and `data`. */
  readonly crc32: number;
  /** Of the filtered rows. */
  readonly adler32: number;
  /** Filtered rows in bytes. */
  readonly filteredBytes: number;
}

/** Deflate with a window of 32 KiB, no dictionary, lowest effort declared (RFC 1950, 2.2). */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);
const IDAT_CRC32 = crc32(Uint8Array.of(0x49, 0x44, 0x41, 0x54));

/**
 * Compresses the rows of one strip; the result depends on the arguments alone, so any worker may do it.
 *
 * @param pixels the whole picture (a view of shared memory will do), since filters read the row above the strip
 */
export function encodePngStrip(pixels: Uint8Array, layout: PngLayout, strip: PngStrip): EncodedPngStrip {
  const { width, channels, effort = 'fast' } = layout;
  const { firstRow, rowCount } = strip;
  const rowBytes = width * channels;
  const start = firstRow * rowBytes;
  const rows = pixels.subarray(start, start + rowCount * rowBytes);
  const above = firstRow === 0 ? undefined : pixels.subarray(start - rowBytes, start);
  const { blocks, adler32 } = deflateStrip(rows, above, rowBytes, channels, effort);
  const header = firstRow === 0 ? ZLIB_HEADER : new Uint8Array(0);
  const data = new Uint8Array(header.byteLength + blocks.byteLength);
  data.set(header);
  data.set(blocks, header.byteLength);
  return { data, crc32: crc32(data, IDAT_CRC32), adler32, filteredBytes: rowCount * (rowBytes + 1) };
}
