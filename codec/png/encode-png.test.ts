import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { CodecError } from '../errors.js';
import type { PngAncillaryChunk } from './chunks.js';
import { assemblePng, encodePng } from './encode-png.js';
import { encodePngStrip } from './encode-strip.js';
import type { PngEffort, PngLayout } from './layout.js';
import { planPngStrips } from './layout.js';
import { readPngChunks } from './read-chunks.js';
import { KINDS, syntheticPicture } from './testing/pictures.js';

const text = (type: string, value: string): PngAncillaryChunk => ({ type, data: new TextEncoder().encode(value) });

async function decoded(png: Uint8Array): Promise<{ pixels: Buffer; channels: number }> {
  const { data, info } = await sharp(png, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true });
  return { pixels: data, channels: info.channels };
}

const layouts = fc.record({
  width: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 300 })),
  height: fc.integer({ min: 1, max: 40 }),
  channels: fc.constantFrom<3 | 4>(3, 4),
  effort: fc.constantFrom<PngEffort>('fast', 'small', 'smallest'),
});

describe('encodePng', () => {
  it('is read back pixel for pixel by libpng, whatever the size and kind of picture', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, fc.constantFrom(...KINDS), fc.nat(), async (layout, kind, seed) => {
        const pixels = syntheticPicture(kind, layout, seed);
        const back = await decoded(encodePng(pixels, layout));
        expect(back.channels).toBe(layout.channels);
        expect(back.pixels.equals(pixels)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('reads back exactly where a picture has several strips', async () => {
    const layout: PngLayout = { width: 1021, height: 1500, channels: 3 };
    for (const kind of KINDS) {
      const pixels = syntheticPicture(kind, layout, 7);
      expect((await decoded(encodePng(pixels, layout))).pixels.equals(pixels)).toBe(true);
    }
    expect(planPngStrips(layout).length).toBeGreaterThan(2);
  });

  it('gives the same bytes when the strips are encoded in another order', () => {
    const layout: PngLayout = { width: 700, height: 1300, channels: 4 };
    const pixels = syntheticPicture('smooth with noise', layout, 3);
    const strips = planPngStrips(layout)
      .toReversed()
      .map((strip) => encodePngStrip(pixels, layout, strip))
      .toReversed();
    expect(Buffer.from(assemblePng(strips, layout)).equals(encodePng(pixels, layout))).toBe(true);
  });

  it('keeps ancillary chunks byte for byte at their places', () => {
    const chunks = {
      beforePlte: [text('gAMA', '\0\0\xb1\x8f')],
      beforeIdat: [text('tEXt', 'parameters\0a fox'), text('iTXt', ''), text('tEXt', 'parameters\0again')],
      afterIdat: [text('eXIf', 'MM\0*'), text('prVt', 'x'.repeat(5000))],
    };
    const png = encodePng(new Uint8Array(12), { width: 2, height: 2, channels: 3, chunks });
    expect(readPngChunks(png).chunks).toEqual({
      beforeIdat: [...chunks.beforePlte, ...chunks.beforeIdat],
      afterIdat: chunks.afterIdat,
    });
  });

  it('reaches every size from the unpadded one up, with the same pixels and chunks', async () => {
    const layout: PngLayout = { width: 17, height: 9, channels: 3 };
    const pixels = syntheticPicture('noise', layout, 5);
    const chunks = { beforeIdat: [text('tEXt', 'a\0b')], afterIdat: [] };
    const unpadded = encodePng(pixels, { ...layout, chunks });
    for (let gap = 0; gap <= 64; gap++) {
      const png = encodePng(pixels, { ...layout, chunks, padToSize: unpadded.byteLength + gap });
      expect(png.byteLength).toBe(unpadded.byteLength + gap);
      expect((await decoded(png)).pixels.equals(pixels)).toBe(true);
      expect(readPngChunks(png).chunks).toEqual(chunks);
    }
    expect(() => encodePng(pixels, { ...layout, chunks, padToSize: unpadded.byteLength - 1 })).toThrow(CodecError);
  });

  it('refuses pixels that do not fit the layout, and chunks that are not ancillary', () => {
    const layout: PngLayout = { width: 2, height: 2, channels: 3 };
    expect(() => encodePng(new Uint8Array(11), layout)).toThrow(/pixels/);
    expect(() => encodePng(new Uint8Array(0), { ...layout, width: 0 })).toThrow(/width/);
    for (const type of ['IDAT', 'tEX', 'tEXté', '1abc']) {
      const chunks = { beforeIdat: [text(type, '')], afterIdat: [] };
      expect(() => encodePng(new Uint8Array(12), { ...layout, chunks })).toThrow(CodecError);
    }
  });

  it('refuses strips that are not the whole picture', () => {
    const layout: PngLayout = { width: 700, height: 1300, channels: 4 };
    const pixels = new Uint8Array(700 * 1300 * 4);
    const strips = planPngStrips(layout).map((strip) => encodePngStrip(pixels, layout, strip));
    expect(() => assemblePng(strips.slice(1), layout)).toThrow(/strips/);
    expect(() => assemblePng([], layout)).toThrow(/strips/);
  });
});
