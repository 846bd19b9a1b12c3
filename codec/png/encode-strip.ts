/** Filters and deflates one strip of a picture. */
import { constants, crc32, deflateRawSync } from 'node:zlib';
import type { PngLayout, PngStrip } from './layout.js';

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

const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);
const IDAT = Uint8Array.of(0x49, 0x44, 0x41, 0x54);

/**
 * Compresses the rows of one strip; a pure function of its arguments, safe in any worker.
 *
 * @param pixels the whole picture, since filters read the row above the strip
 */
export function encodePngStrip(pixels: Uint8Array, layout: PngLayout, strip: PngStrip): EncodedPngStrip {
  const filtered = paethRows(pixels, layout, strip);
  const blocks = deflateRawSync(filtered, {
    level: 6,
    strategy: constants.Z_HUFFMAN_ONLY,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  const data = strip.firstRow === 0 ? Buffer.concat([ZLIB_HEADER, blocks]) : blocks;
  return { data, crc32: crc32(data, crc32(IDAT)), adler32: adler32(filtered), filteredBytes: filtered.byteLength };
}

function paethRows(pixels: Uint8Array, { width, channels }: PngLayout, { firstRow, rowCount }: PngStrip): Uint8Array {
  const rowBytes = width * channels;
  const filtered = new Uint8Array(rowCount * (rowBytes + 1));
  let out = 0;
  for (let row = firstRow; row < firstRow + rowCount; row++) {
    filtered[out++] = 4;
    const start = row * rowBytes;
    for (let x = 0; x < rowBytes; x++) {
      const left = x >= channels ? (pixels[start + x - channels] ?? 0) : 0;
      const up = row > 0 ? (pixels[start + x - rowBytes] ?? 0) : 0;
      const upLeft = row > 0 && x >= channels ? (pixels[start + x - rowBytes - channels] ?? 0) : 0;
      filtered[out++] = (pixels[start + x] ?? 0) - paeth(left, up, upLeft);
    }
  }
  return filtered;
}

function paeth(left: number, up: number, upLeft: number): number {
  const toLeft = Math.abs(up - upLeft);
  const toUp = Math.abs(left - upLeft);
  const toUpLeft = Math.abs(left + up - 2 * upLeft);
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let start = 0; start < bytes.length; start += 5552) {
    const end = Math.min(bytes.length, start + 5552);
    for (let i = start; i < end; i++) {
      a += bytes[i] ?? 0;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}
