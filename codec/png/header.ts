/** IHDR: what kind of picture a PNG holds, and the bounds that its sides are held to. */
import type { FramedChunk } from './chunk-walk.js';
import { chunkError } from './chunk-walk.js';

/** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA (PNG third edition, 6.1). */
export type PngColorType = 0 | 2 | 3 | 4 | 6;

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits a sample, or a palette index. */
  readonly bitDepth: 1 | 2 | 4 | 8 | 16;
  readonly colorType: PngColorType;
  /** Adam7. */
  readonly interlaced: boolean;
}

const IHDR_BYTES = 13;
const MAX_SIDE = 2 ** 31 - 1;
const MAX_DEFLATE_RATIO = 1032;

const DEPTHS: Readonly<Record<PngColorType, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const SAMPLES: Readonly<Record<PngColorType, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * Reads IHDR (PNG third edition, 11.2.1).
 *
 * @throws CodecError when a field is outside the standard, or the picture has more than `maxPixels`
 */
export function readHeader({ type, offset, data }: FramedChunk, maxPixels: number): PngHeader {
  const fail = (problem: string): never => {
    throw chunkError(type, offset, problem);
  };
  if (type !== 'IHDR') fail('the first chunk must be IHDR');
  if (data.byteLength !== IHDR_BYTES) fail(`${data.byteLength} bytes where IHDR has ${IHDR_BYTES}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  if (width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE) {
    fail(`sides of ${width} and ${height} are not from 1 to 2^31 - 1`);
  }
  if (width * height > maxPixels) fail(`${width} x ${height} pixels are over the limit of ${maxPixels}`);
  const bitDepth = view.getUint8(8);
  const colorType = view.getUint8(9);
  if (!isColorType(colorType) || !isDepthOf(colorType, bitDepth)) {
    return fail(`colour type ${colorType} with ${bitDepth} bits does not exist`);
  }
  if (view.getUint8(10) !== 0) fail('the compression method must be 0');
  if (view.getUint8(11) !== 0) fail('the filter method must be 0');
  const interlace = view.getUint8(12);
  if (interlace > 1) fail(`interlace method ${interlace} does not exist`);
  return { width, height, bitDepth, colorType, interlaced: interlace === 1 };
}

/**
 * The fewest bytes that a zlib stream of the whole picture can have, since deflate cannot shrink more than 1032-fold.
 * A file with less is cut off or lies about its sides. (Interlacing only adds filter bytes, so the bound holds there.)
 */
export function leastImageDataBytes({ width, height, bitDepth, colorType }: PngHeader): number {
  const rowBytes = 1 + Math.ceil((width * bitDepth * SAMPLES[colorType]) / 8);
  return Math.floor((rowBytes * height) / MAX_DEFLATE_RATIO);
}

function isColorType(value: number): value is PngColorType {
  return value in SAMPLES;
}

function isDepthOf(colorType: PngColorType, value: number): value is PngHeader['bitDepth'] {
  return DEPTHS[colorType].includes(value);
}
