/** Reads what a PNG carries beside its pixels, and refuses what is not a PNG or larger than it may be. */
import { CodecError } from '../errors.js';
import type { FramedChunk } from './chunk-walk.js';
import { chunkError, walkChunks } from './chunk-walk.js';
import type { PngAncillaryChunk, PngAncillaryChunks } from './chunks.js';
import { isAncillaryType, PADDING_CHUNK_TYPE } from './chunks.js';
import type { PngHeader } from './header.js';
import { leastImageDataBytes, readHeader } from './header.js';

/** Bounds on untrusted files. */
export interface PngLimits {
  /** Width times height. */
  readonly maxPixels: number;
  /** Chunks of any type. */
  readonly maxChunks: number;
  /** Data bytes of one ancillary chunk. */
  readonly maxAncillaryChunkBytes: number;
  /** Ancillary chunks kept. */
  readonly maxAncillaryChunks: number;
  /** Data bytes of all ancillary chunks together. */
  readonly maxAncillaryBytes: number;
}

/** 16,384² pixels; text chunks as large as the largest ComfyUI workflows ten times over; encoders that cut IDAT at 4 KB. */
export const DEFAULT_PNG_LIMITS: PngLimits = {
  maxPixels: 1 << 28,
  maxChunks: 1 << 18,
  maxAncillaryChunkBytes: 8 << 20,
  maxAncillaryChunks: 1024,
  maxAncillaryBytes: 16 << 20,
};

/** A PNG without its pixels. */
export interface PngInfo extends PngHeader {
  /** Has acTL before its image data: an APNG, whose frames (`acTL`, `fcTL`, `fdAT`) are not among `chunks`. */
  readonly animated: boolean;
  /** Has tRNS: a transparent colour, or a palette with alpha. */
  readonly transparency: boolean;
  /** Entries of PLTE; 0 where there is none. */
  readonly paletteEntries: number;
  /** Every ancillary chunk byte for byte, without animation frames and our own padding. */
  readonly chunks: PngAncillaryChunks;
  /** Compressed bytes over all IDAT chunks. */
  readonly imageDataBytes: number;
  /** Bytes behind IEND, which viewers ignore and some tools hide data in. */
  readonly trailingBytes: number;
}

const ANIMATION_TYPES: ReadonlySet<string> = new Set(['acTL', 'fcTL', 'fdAT']);
const CHUNK_END_BYTES = 12;

/**
 * Walks a whole file and checks every CRC, the order of the critical chunks, and the bounds. Compressed data (IDAT, zTXt,
 * iCCP) is never inflated.
 *
 * @param bytes a complete file; what is kept of it is copied, so it may be reused
 * @throws CodecError naming the chunk and its offset when the file is truncated, corrupt, outside the standard or the limits
 */
export function readPngChunks(bytes: Uint8Array, limits: PngLimits = DEFAULT_PNG_LIMITS): PngInfo {
  const walk = walkChunks(bytes, limits.maxChunks);
  const first = walk.next();
  if (first.done === true) throw new CodecError('png', 'IHDR', 'the file has no chunk');
  const header = readHeader(first.value, limits.maxPixels);
  const reading = new Reading(header, limits);
  let end = 0;
  for (const chunk of walk) {
    reading.take(chunk);
    end = chunk.offset + CHUNK_END_BYTES + chunk.data.byteLength;
  }
  return { ...header, ...reading.finish(end), trailingBytes: bytes.byteLength - end };
}

/** The state of a reading: where among the critical chunks it stands, and what it has kept. */
class Reading {
  private place: 'beforeIdat' | 'idat' | 'afterIdat' = 'beforeIdat';
  private paletteEntries = 0;
  private transparency = false;
  private animated = false;
  private imageDataBytes = 0;
  private kept = 0;
  private keptBytes = 0;
  private beforePlte: PngAncillaryChunk[] = [];
  private beforeIdat: PngAncillaryChunk[] = [];
  private readonly afterIdat: PngAncillaryChunk[] = [];

  constructor(
    private readonly header: PngHeader,
    private readonly limits: PngLimits,
  ) {}

  take(chunk: FramedChunk): void {
    if (chunk.type === 'IDAT') {
      this.takeImageData(chunk);
      return;
    }
    if (this.place === 'idat') this.place = 'afterIdat';
    if (isAncillaryType(chunk.type)) this.takeAncillary(chunk);
    else if (chunk.type === 'PLTE') this.takePalette(chunk);
    else if (chunk.type !== 'IEND') throw chunkError(chunk.type, chunk.offset, this.unknownCritical(chunk.type));
    else if (chunk.data.byteLength > 0) throw chunkError('IEND', chunk.offset, 'IEND has no data');
  }

  finish(end: number): Omit<PngInfo, keyof PngHeader | 'trailingBytes'> {
    const { place, imageDataBytes, beforePlte, beforeIdat, afterIdat, animated, transparency, paletteEntries } = this;
    if (place === 'beforeIdat') throw new CodecError('png', `byte ${end}`, 'the file has no IDAT');
    const least = leastImageDataBytes(this.header);
    if (imageDataBytes < least) {
      const { width, height } = this.header;
      throw new CodecError('png', 'IDAT', `${imageDataBytes} bytes cannot hold ${width} x ${height} pixels`);
    }
    const chunks = { ...(beforePlte.length > 0 && { beforePlte }), beforeIdat, afterIdat };
    return { animated, transparency, paletteEntries, chunks, imageDataBytes };
  }

  private takeImageData({ type, offset, data }: FramedChunk): void {
    if (this.place === 'afterIdat') throw chunkError(type, offset, 'IDAT chunks must follow each other');
    if (this.header.colorType === 3 && this.paletteEntries === 0) {
      throw chunkError(type, offset, 'a picture with a palette needs PLTE before IDAT');
    }
    this.place = 'idat';
    this.imageDataBytes += data.byteLength;
  }

  private takePalette({ type, offset, data }: FramedChunk): void {
    const { colorType, bitDepth } = this.header;
    const most = colorType === 3 ? 2 ** bitDepth : 256;
    if (colorType === 0 || colorType === 4) throw chunkError(type, offset, 'a grey picture has no palette');
    if (this.place !== 'beforeIdat') throw chunkError(type, offset, 'PLTE must stand before IDAT');
    if (this.paletteEntries > 0) throw chunkError(type, offset, 'there is a PLTE already');
    if (data.byteLength === 0 || data.byteLength % 3 !== 0 || data.byteLength > 3 * most) {
      throw chunkError(type, offset, `${data.byteLength} bytes are not 1 to ${most} entries of three`);
    }
    this.paletteEntries = data.byteLength / 3;
    this.beforePlte = this.beforeIdat;
    this.beforeIdat = [];
  }

  private takeAncillary({ type, offset, data }: FramedChunk): void {
    if (type === 'acTL' && this.place === 'beforeIdat') this.animated = true;
    if (ANIMATION_TYPES.has(type) || type === PADDING_CHUNK_TYPE) return;
    if (type === 'tRNS') this.takeTransparency(offset, data);
    const { maxAncillaryChunkBytes, maxAncillaryChunks, maxAncillaryBytes } = this.limits;
    this.kept += 1;
    this.keptBytes += data.byteLength;
    if (data.byteLength > maxAncillaryChunkBytes) {
      throw chunkError(
        type,
        offset,
        `${data.byteLength} bytes are over the limit of ${maxAncillaryChunkBytes} for one chunk`,
      );
    }
    if (this.kept > maxAncillaryChunks)
      throw chunkError(type, offset, `more than ${maxAncillaryChunks} ancillary chunks`);
    if (this.keptBytes > maxAncillaryBytes) {
      throw chunkError(type, offset, `more than ${maxAncillaryBytes} bytes of ancillary chunks`);
    }
    const place = this.place === 'beforeIdat' ? this.beforeIdat : this.afterIdat;
    place.push({ type, data: new Uint8Array(data) });
  }

  /** tRNS (PNG third edition, 11.3.1.1): one grey sample, one colour, or an alpha for the first palette entries. */
  private takeTransparency(offset: number, data: Uint8Array): void {
    const { colorType } = this.header;
    if (this.place !== 'beforeIdat') throw chunkError('tRNS', offset, 'tRNS must stand before IDAT');
    if (colorType === 4 || colorType === 6) throw chunkError('tRNS', offset, 'a picture with alpha has no tRNS');
    const legal =
      colorType === 3
        ? data.byteLength > 0 && data.byteLength <= this.paletteEntries
        : data.byteLength === (colorType === 0 ? 2 : 6);
    if (!legal) throw chunkError('tRNS', offset, `${data.byteLength} bytes do not fit colour type ${colorType}`);
    this.transparency = true;
  }

  private unknownCritical(type: string): string {
    return type === 'IHDR' ? 'there is an IHDR already' : 'a critical chunk that is not in the standard';
  }
}
