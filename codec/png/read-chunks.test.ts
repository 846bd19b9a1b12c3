import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { CodecError } from '../errors.js';
import type { PngAncillaryChunk } from './chunks.js';
import { PNG_SIGNATURE, writeChunk } from './chunks.js';
import { encodePng } from './encode-png.js';
import { DEFAULT_PNG_LIMITS, readPngChunks } from './read-chunks.js';
import { answersOrRefuses, fuzz } from './testing/fuzz-reader.js';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const chunk = (type: string, data: Uint8Array | string = ''): PngAncillaryChunk => ({
  type,
  data: typeof data === 'string' ? ascii(data) : data,
});

/** A file of exactly these chunks, with right CRCs. */
function png(...chunks: readonly PngAncillaryChunk[]): Uint8Array {
  const bytes = new Uint8Array(8 + chunks.reduce((sum, { data }) => sum + 12 + data.byteLength, 0));
  bytes.set(PNG_SIGNATURE);
  chunks.reduce((offset, { type, data }) => writeChunk(bytes, offset, type, data), 8);
  return bytes;
}

function ihdr(width: number, height: number, bitDepth = 8, colorType = 2, interlace = 0): PngAncillaryChunk {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([bitDepth, colorType, 0, 0, interlace], 8);
  return chunk('IHDR', data);
}

const IDAT = chunk('IDAT', new Uint8Array(20));
const IEND = chunk('IEND');

describe('readPngChunks', () => {
  it('keeps every ancillary chunk with its place, and says what the picture is', () => {
    const file = png(
      ihdr(4, 4, 4, 3, 1),
      chunk('gAMA', 'abcd'),
      chunk('PLTE', new Uint8Array(9)),
      chunk('tRNS', new Uint8Array(2)),
      chunk('tEXt', 'prompt\0a fox'),
      IDAT,
      IDAT,
      chunk('eXIf', 'MM'),
      IEND,
    );
    expect(readPngChunks(file)).toEqual({
      width: 4,
      height: 4,
      bitDepth: 4,
      colorType: 3,
      interlaced: true,
      animated: false,
      transparency: true,
      paletteEntries: 3,
      imageDataBytes: 40,
      trailingBytes: 0,
      chunks: {
        beforePlte: [chunk('gAMA', 'abcd')],
        beforeIdat: [chunk('tRNS', new Uint8Array(2)), chunk('tEXt', 'prompt\0a fox')],
        afterIdat: [chunk('eXIf', 'MM')],
      },
    });
  });

  it('knows an animated PNG and leaves its frames out', () => {
    const frames = [chunk('acTL', new Uint8Array(8)), chunk('fcTL', new Uint8Array(26))];
    const info = readPngChunks(png(ihdr(1, 1), ...frames, IDAT, chunk('fdAT', 'frame'), IEND));
    expect(info.animated).toBe(true);
    expect(info.chunks).toEqual({ beforeIdat: [], afterIdat: [] });
  });

  it('drops our own padding, so that a file that comes back is the same picture', () => {
    const file = encodePng(new Uint8Array(3), { width: 1, height: 1, channels: 3, padToSize: 5000 });
    expect(readPngChunks(file).chunks).toEqual({ beforeIdat: [], afterIdat: [] });
  });

  it('counts bytes behind the end of the picture', () => {
    expect(readPngChunks(Buffer.concat([png(ihdr(1, 1), IDAT, IEND), ascii('hidden')])).trailingBytes).toBe(6);
  });

  it.each<[string, RegExp, Uint8Array]>([
    ['no signature', /signature/, ascii('not a picture at all')],
    ['an empty file', /signature/, new Uint8Array(0)],
    ['nothing behind the signature', /byte 8/, PNG_SIGNATURE],
    ['no IHDR first', /chunk IDAT at byte 8.*IHDR/, png(IDAT, IEND)],
    ['two IHDR', /chunk IHDR at byte 33/, png(ihdr(1, 1), ihdr(1, 1), IDAT, IEND)],
    ['a side of 0', /chunk IHDR at byte 8.*sides/, png(ihdr(0, 1), IDAT, IEND)],
    ['more pixels than allowed', /over the limit/, png(ihdr(100_000, 100_000), IDAT, IEND)],
    ['sides that the data cannot fill', /IDAT.*cannot hold/, png(ihdr(5000, 5000), IDAT, IEND)],
    ['RGB of 4 bits', /does not exist/, png(ihdr(1, 1, 4, 2), IDAT, IEND)],
    ['colour type 5', /does not exist/, png(ihdr(1, 1, 8, 5), IDAT, IEND)],
    ['interlace method 2', /interlace/, png(ihdr(1, 1, 8, 2, 2), IDAT, IEND)],
    ['no IDAT', /no IDAT/, png(ihdr(1, 1), IEND)],
    ['a gap between IDAT chunks', /chunk IDAT at byte 77/, png(ihdr(1, 1), IDAT, chunk('tEXt'), IDAT, IEND)],
    ['no IEND', /byte 65.*IEND is missing/, png(ihdr(1, 1), IDAT)],
    ['a palette picture without PLTE', /needs PLTE/, png(ihdr(1, 1, 8, 3), IDAT, IEND)],
    ['a palette of 4 bytes', /PLTE/, png(ihdr(1, 1, 8, 3), chunk('PLTE', 'abcd'), IDAT, IEND)],
    ['a palette in a grey picture', /grey/, png(ihdr(1, 1, 8, 0), chunk('PLTE', 'abc'), IDAT, IEND)],
    ['tRNS beside alpha', /tRNS/, png(ihdr(1, 1, 8, 6), chunk('tRNS', 'ab'), IDAT, IEND)],
    ['tRNS of a wrong length', /tRNS/, png(ihdr(1, 1), chunk('tRNS', 'ab'), IDAT, IEND)],
    ['an unknown critical chunk', /chunk CgBI at byte 33/, png(ihdr(1, 1), chunk('CgBI', 'abcd'), IDAT, IEND)],
    ['data in IEND', /IEND/, png(ihdr(1, 1), IDAT, chunk('IEND', 'x'))],
  ])('refuses %s', (_, message, file) => {
    expect(() => readPngChunks(file)).toThrow(CodecError);
    expect(() => readPngChunks(file)).toThrow(message);
  });

  it('names the chunk and its place when a CRC is wrong', () => {
    const file = png(ihdr(1, 1), chunk('tEXt', 'hello'), IDAT, IEND);
    file[42] = (file[42] ?? 0) ^ 1;
    expect(() => readPngChunks(file)).toThrow(/chunk tEXt at byte 33: the CRC is/);
  });

  it('refuses a file that is cut anywhere', async () => {
    const whole = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    for (let length = 0; length < whole.length; length++) {
      expect(() => readPngChunks(whole.subarray(0, length))).toThrow(CodecError);
    }
    expect(readPngChunks(whole)).toMatchObject({ width: 9, height: 9 });
  });

  it('holds ancillary chunks to their limits', () => {
    const file = png(ihdr(1, 1), chunk('tEXt', 'x'.repeat(100)), chunk('tEXt', 'x'.repeat(100)), IDAT, IEND);
    const read = (limits: Partial<typeof DEFAULT_PNG_LIMITS>) => (): unknown =>
      readPngChunks(file, { ...DEFAULT_PNG_LIMITS, ...limits });
    expect(read({})).not.toThrow();
    expect(read({ maxAncillaryChunkBytes: 99 })).toThrow(/over the limit of 99/);
    expect(read({ maxAncillaryChunks: 1 })).toThrow(/more than 1 ancillary/);
    expect(read({ maxAncillaryBytes: 199 })).toThrow(/more than 199 bytes/);
    expect(read({ maxChunks: 4 })).toThrow(/more than 4 chunks/);
    expect(read({ maxPixels: 0 })).toThrow(/over the limit of 0/);
  });

  it('answers or refuses, whatever bytes it gets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fuzz));
    const types = fc.constantFrom('IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'acTL', 'fdAT', 'tEXt', 'lbPD', 'ABCD');
    const chunks = fc.array(fc.record({ type: types, data: fc.uint8Array({ maxLength: 30 }) }), { maxLength: 12 });
    fc.assert(fc.property(chunks, (rest) => void answersOrRefuses(png(ihdr(3, 3), ...rest))));
    fc.assert(fc.property(chunks, (rest) => void answersOrRefuses(png(ihdr(3, 3, 8, 3), ...rest, IDAT, IEND))));
  });

  it('answers or refuses when bytes of a real file are changed', () => {
    const text = chunk('tEXt', 'parameters\0a fox');
    const file = encodePng(new Uint8Array(300), {
      width: 10,
      height: 10,
      channels: 3,
      chunks: { beforeIdat: [text], afterIdat: [text] },
    });
    const edits = fc.array(fc.tuple(fc.nat(file.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(edits, (changes) => {
        const changed = file.slice();
        for (const [at, value] of changes) changed[at] = value;
        fuzz(changed);
      }),
    );
  });

  const pictures = new URL('../../../shared/data/pictures/', import.meta.url);
  const names = existsSync(pictures) ? readdirSync(pictures).filter((name) => name.endsWith('.png')) : [];

  it.skipIf(names.length === 0)(
    'reads generated pictures as libpng does (skipped without ../shared/data)',
    async () => {
      for (const name of names) {
        const file = readFileSync(new URL(name, pictures));
        const info = readPngChunks(file);
        const known = await sharp(file).metadata();
        expect([info.width, info.height]).toEqual([known.width, known.height]);
        const keywords = [...info.chunks.beforeIdat, ...info.chunks.afterIdat]
          .filter(({ type }) => ['tEXt', 'zTXt', 'iTXt'].includes(type))
          .map(({ data }) => Buffer.from(data.subarray(0, data.indexOf(0))).toString('latin1'));
        expect(keywords).toEqual(expect.arrayContaining(known.comments?.map(({ keyword }) => keyword) ?? []));
      }
    },
  );
});
