import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeContainer, readPngChunks, type PngAncillaryChunk } from '../../codec/index.js';
import type { Conversion, ConversionOptions } from './conversion.js';
import { psnr } from './fidelity.js';
import { DEFAULT_OPTIONS, NEVER, ownPicture, startConverter, withChunks } from './testing/started-converter.js';
import type { StartedConverter } from './testing/started-converter.js';

const SIZE = { width: 131, height: 90 };
const text = (type: string, value: string): PngAncillaryChunk => ({ type, data: Buffer.from(value, 'latin1') });

let started: StartedConverter;
let own: { readonly png: Uint8Array; readonly pixels: Uint8Array };
const chunks = {
  beforeIdat: [text('iCCP', 'p\0\0x'), text('tEXt', 'parameters\0a fox'), text('tEXt', 'parameters\0again')],
  afterIdat: [text('eXIf', 'MM\0*')],
};

beforeAll(async () => {
  started = await startConverter();
  own = await ownPicture(started, bundled(), SIZE, 7, chunks);
}, 60_000);
afterAll(() => started.close());

function bundled() {
  const [model] = started.models;
  if (!model) throw new Error('the bundled model is missing');
  return model;
}

function convert(png: Uint8Array, options: Partial<ConversionOptions> = {}): Promise<Conversion> {
  return started.converter.convert(png, { ...DEFAULT_OPTIONS, models: [bundled().name], ...options }, NEVER);
}

/** The reason, or `latent`. */
async function verdict(png: Uint8Array, options: Partial<ConversionOptions> = {}): Promise<string> {
  const conversion = await convert(png, { refineSteps: 0, ...options });
  return conversion.kind === 'verbatim' ? conversion.reason : conversion.kind;
}

describe('converting a picture that the model made', () => {
  it('keeps its pixels above the floor, its chunks byte for byte and its length', async () => {
    const conversion = await convert(own.png);
    if (conversion.kind !== 'latent') throw new Error(conversion.reason);
    const { container, png, sizeKept, measured } = conversion;
    expect([png.byteLength, sizeKept]).toEqual([own.png.byteLength, true]);
    expect(readPngChunks(png).chunks).toEqual(readPngChunks(own.png).chunks);
    const served = await sharp(png, { ignoreIcc: true }).raw().toBuffer();
    expect(psnr(served, own.pixels)).toBe(measured.psnr);
    expect(measured.psnr).toBeGreaterThan(47);
    expect(container.byteLength).toBeLessThan(own.png.byteLength / 2);
    const { origin, width, height } = decodeContainer(container);
    expect({ origin, width, height }).toEqual({
      origin: { kind: 'encoded', psnr: measured.psnr, ssim: measured.ssim },
      ...SIZE,
    });
    const again = await started.pipeline.renderPixels({ model: bundled().name, container }, NEVER);
    expect(Buffer.from(again.pixels).equals(served)).toBe(true);
  });

  it('comes nearer with more steps, and never gives less than without them', async () => {
    const found = [];
    for (const refineSteps of [0, 10, 30]) {
      const { measured } = await convert(own.png, { refineSteps });
      expect(measured?.steps).toBe(refineSteps);
      found.push(measured?.psnr ?? 0);
    }
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found[2]).toBeGreaterThan((found[0] ?? 0) + 3);
  });

  it('leaves it as it is under any floor that it does not reach', async () => {
    const { measured } = await convert(own.png, { refineSteps: 0 });
    const psnrReached = measured?.psnr ?? 0;
    expect(await verdict(own.png, { psnr: psnrReached })).toBe('latent');
    expect(await verdict(own.png, { psnr: psnrReached + 0.001 })).toBe('under-floor');
    expect(await verdict(own.png, { ssim: (measured?.ssim ?? 0) + 1e-6 })).toBe('under-floor');
    expect(await verdict(own.png, { minSaving: 0.9 })).toBe('no-saving');
  });

  it('keeps the length or the file, where the rendered PNG is longer than the upload', async () => {
    const tight = await sharp(own.png).png({ compressionLevel: 9, palette: false, adaptiveFiltering: true }).toBuffer();
    const huge = withChunks(tight, { beforeIdat: [], afterIdat: [] });
    const loose = await convert(huge, { size: 'own' });
    if (loose.kind !== 'latent') throw new Error(loose.reason);
    if (loose.sizeKept) expect(loose.png.byteLength).toBe(huge.byteLength);
    else expect(await verdict(huge, { size: 'strict', refineSteps: 40 })).toBe('size-would-change');
  });
});

describe('what must not be converted', () => {
  const { width, height } = SIZE;
  const rgba = (alpha: number, edit: (pixels: Uint8Array) => void = () => undefined): Promise<Buffer> => {
    const pixels = new Uint8Array(width * height * 4).fill(alpha);
    for (let i = 0; i < width * height; i++) pixels.set(own.pixels.subarray(3 * i, 3 * i + 3), 4 * i);
    edit(pixels);
    return sharp(pixels, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
  };
  const bare = () => sharp(own.pixels, { raw: { width, height, channels: 3 } });

  it('is told by the kind of the PNG', async () => {
    expect(await verdict(Buffer.from('hello'))).toBe('not-a-png');
    expect(await verdict(own.png.subarray(0, 900))).toBe('broken-png');
    expect(await verdict(await bare().toColourspace('rgb16').png().toBuffer())).toBe('sixteen-bit');
    expect(await verdict(await bare().png({ palette: true }).toBuffer())).toBe('palette');
    expect(await verdict(await bare().toColourspace('b-w').png().toBuffer())).toBe('grey');
    expect(await verdict(Buffer.concat([own.png, Buffer.from('zip')]))).toBe('trailing-data');
    expect(await verdict(own.png, { maxPixels: width * height - 1 })).toBe('too-large');
    expect(await verdict(await bare().resize(10, 40).png().toBuffer())).toBe('too-small');
    const animated = withChunks(own.png, {
      beforeIdat: [text('acTL', '\0\0\0\x01\0\0\0\0')],
      afterIdat: [],
    });
    expect(await verdict(animated)).toBe('animated');
  });

  it('is told by alpha that is not opaque; opaque alpha is let go', async () => {
    const almost = await rgba(255, (pixels) => (pixels[4 * 500 + 3] = 254));
    expect(await verdict(almost)).toBe('transparency');
    expect(await verdict(await rgba(255))).toBe('latent');
  });

  it('is told by metadata that is hidden in the lowest bits', async () => {
    for (const [mark, samples] of [
      ['stealth_pngcomp', [3]],
      ['stealth_pnginfo', [3]],
      ['stealth_rgbcomp', [0, 1, 2]],
      ['stealth_rgbinfo', [0, 1, 2]],
    ] as const) {
      const marked = await rgba(255, (pixels) => {
        [...Buffer.from(mark)].forEach((byte, i) => {
          for (let bit = 0; bit < 8; bit++) {
            const index = 8 * i + bit;
            const pixel = Math.floor(index / samples.length);
            const at =
              ((pixel % height) * width + Math.floor(pixel / height)) * 4 + (samples[index % samples.length] ?? 0);
            pixels[at] = ((pixels[at] ?? 0) & 0xfe) | ((byte >> (7 - bit)) & 1);
          }
        });
      });
      expect(await verdict(marked)).toBe('stealth-payload');
    }
  });

  it('is told by content credentials, unless the policy takes them', async () => {
    const signed = withChunks(own.png, { beforeIdat: [text('caBX', 'jumb')], afterIdat: [] });
    expect(await verdict(signed)).toBe('content-credentials');
    const converted = await convert(signed, { refineSteps: 0, convertC2pa: true });
    if (converted.kind !== 'latent') throw new Error(converted.reason);
    expect(readPngChunks(converted.png).chunks).toEqual(readPngChunks(signed).chunks);
  });

  it('is told by the models that can be tried', async () => {
    expect(await verdict(own.png, { models: [] })).toBe('no-encoder');
    expect(await verdict(own.png, { models: ['nobody'] })).toBe('no-encoder');
    expect(await verdict(own.png, { models: ['nobody', bundled().name] })).toBe('latent');
  });
});

describe('a picture that no decoder made', () => {
  it('stays as it is, and the upload is not touched', async () => {
    const noise = Uint8Array.from({ length: SIZE.width * SIZE.height * 3 }, (_, i) => (i * 2_654_435_761) >>> 24);
    const png = await sharp(noise, { raw: { ...SIZE, channels: 3 } })
      .png()
      .toBuffer();
    const before = createHash('sha256').update(png).digest('hex');
    const conversion = await convert(png);
    expect(conversion).toMatchObject({ kind: 'verbatim', reason: 'under-floor', measured: { model: bundled().name } });
    expect(createHash('sha256').update(png).digest('hex')).toBe(before);
  });
});

describe('the pool', () => {
  it('stops for a caller who leaves, and goes on for the others', async () => {
    const leaving = new AbortController();
    const options = { ...DEFAULT_OPTIONS, models: [bundled().name], refineSteps: 10_000 };
    const left = started.converter.convert(own.png, options, leaving.signal);
    const stayed = convert(own.png, { refineSteps: 1 });
    setTimeout(() => leaving.abort(new Error('gone')), 200);
    await expect(left).rejects.toThrow('gone');
    expect((await stayed).kind).toBe('latent');
  });

  it('passes on what the pipeline says', async () => {
    const tiny = await ownPicture(started, bundled(), { width: 16, height: 16 }, 1);
    const waiting = Array.from({ length: 14 }, () => convert(tiny.png, { refineSteps: 0 }));
    const outcomes = await Promise.allSettled(waiting);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { code: 'SlowDown' } });
  });
});
