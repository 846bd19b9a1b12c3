import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError } from '../errors.js';
import { pcodecDecompress } from '../pcodec/pcodec.js';
import { clearLowBits, correlatedValues, everyPattern, tensorOf, truncateToBf16 } from '../testing/tensors.js';
import type { DType, Tensor } from '../tensor.js';
import { decodeContainer, encodeContainer, readContainerHeader } from './container.js';
import type { LatentImage } from './latent-image.js';
import { joinContainer, PREFIX_BYTES } from './layout.js';
import type { PayloadCodecChoice } from './payload-codecs.js';
import { unusedLowBits } from './precision.js';

const chunk = (type: string, text: string) => ({ type, data: Buffer.from(text) });

function imageOf(tensor: Tensor, more: Partial<LatentImage> = {}): LatentImage {
  const [, rows = 1, columns = 1] = tensor.shape;
  return {
    model: 'tiny',
    tensor,
    width: Math.max(1, columns * 8),
    height: Math.max(1, rows * 8),
    scaled: true,
    origin: { kind: 'supplied' },
    pngChunks: { beforeIdat: [], afterIdat: [] },
    ...more,
  };
}

/** The file with its header changed as a forger would: length and CRC follow. */
function withHeader(file: Uint8Array, change: (header: Record<string, unknown>) => unknown): Uint8Array {
  const { payloadOffset } = readContainerHeader(file);
  const header = JSON.parse(Buffer.from(file.subarray(PREFIX_BYTES, payloadOffset)).toString()) as Record<
    string,
    unknown
  >;
  const changed = change(header);
  return joinContainer(
    Buffer.from(typeof changed === 'string' ? changed : JSON.stringify(changed)),
    file.subarray(payloadOffset),
  );
}

describe('encodeContainer and decodeContainer', () => {
  it.each(['f16', 'bf16'] as const)('keep every %s pattern by every codec', (dtype) => {
    const tensor = everyPattern(dtype);
    for (const codec of ['pcodec', 'predictive', 'smallest'] as const) {
      const { tensor: back, header } = decodeContainer(encodeContainer(imageOf(tensor), { codec }));
      expect(Buffer.compare(back.data, tensor.data)).toBe(0);
      if (codec !== 'smallest') expect(header.codec.id).toBe(codec);
    }
  });

  it('take the smallest payload where asked to, and pcodec for what the predictive codec is not for', () => {
    const codecOf = (tensor: Tensor, codec: PayloadCodecChoice): string =>
      readContainerHeader(encodeContainer(imageOf(tensor), { codec })).codec.id;
    const smooth = tensorOf('bf16', [4, 32, 32], truncateToBf16(correlatedValues(4 * 32 * 32, 0.9)));
    expect(codecOf(smooth, 'smallest')).toBe('predictive');
    const constant = tensorOf('bf16', [4, 32, 32], new Uint8Array(4 * 32 * 32 * 2));
    expect(codecOf(constant, 'smallest')).toBe('pcodec');
    const wide = tensorOf('f32', [1, 32, 32], new Uint8Array(correlatedValues(32 * 32, 0.9).buffer));
    expect(codecOf(wide, 'predictive')).toBe('pcodec');
  });

  it.each(['f16', 'bf16'] as const)('keep every %s pattern, and the payload decodes to the very bytes', (dtype) => {
    const tensor = everyPattern(dtype);
    const file = encodeContainer(imageOf(tensor));
    const decoded = decodeContainer(file);
    expect(Buffer.compare(decoded.tensor.data, tensor.data)).toBe(0);
    expect(decoded.tensor).toMatchObject({ dtype, shape: tensor.shape });
    const { numberType, data } = pcodecDecompress(file.subarray(decoded.header.payloadOffset), 1 << 16);
    expect(numberType).toBe(dtype === 'f16' ? 'f16' : 'u16');
    expect(Buffer.compare(data, tensor.data)).toBe(0);
  });

  it('keep any tensor of any type and shape, none and one element included', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<DType>('f16', 'bf16', 'f32'),
        fc.constantFrom<PayloadCodecChoice>('pcodec', 'predictive', 'smallest'),
        fc.tuple(fc.nat(3), fc.nat(6), fc.nat(6)),
        fc.uint8Array({ minLength: 4 * 108, maxLength: 4 * 108 }),
        (dtype, codec, shape, bytes) => {
          const count = shape[0] * shape[1] * shape[2];
          const tensor = tensorOf(dtype, shape, bytes.subarray(0, count * (dtype === 'f32' ? 4 : 2)));
          const back = decodeContainer(encodeContainer(imageOf(tensor), { codec })).tensor;
          expect(Buffer.compare(back.data, tensor.data)).toBe(0);
          expect(back).toMatchObject({ dtype, shape });
        },
      ),
    );
  });

  it('keep everything beside the tensor', () => {
    const image = imageOf(tensorOf('f32', [1, 1, 1], Uint8Array.of(0, 0, 0xc0, 0x7f)), {
      width: 5,
      height: 7,
      scaled: false,
      origin: { kind: 'encoded', psnr: Infinity, ssim: 0.99 },
      pngChunks: {
        beforePlte: [chunk('gAMA', '\0\0\xb1\x8f')],
        beforeIdat: [chunk('tEXt', 'prompt\0{}'), chunk('eXIf', '')],
        afterIdat: [chunk('tIME', '1234567')],
      },
      attributes: { 'client-metadata': '{"é":1}', __proto__x: 'y' },
    });
    const { header, ...decoded } = decodeContainer(encodeContainer(image));
    expect(decoded).toEqual({ ...image, tensor: { ...image.tensor, data: expect.anything() as unknown } });
    expect(header).toMatchObject({ model: 'tiny', codec: { id: 'pcodec', level: 8 }, width: 5, height: 7 });
  });

  it('give the same bytes for the same image', () => {
    const image = imageOf(everyPattern('f16'));
    expect(Buffer.compare(encodeContainer(image), encodeContainer(image, { codec: 'pcodec' }))).toBe(0);
  });

  it.each([
    ['bf16 held in f32', 16, 'f32', 2.2],
    ['f16 held in f32', 13, 'f32', 1.6],
  ] as const)(
    'split off the unused bits of %s, so that it costs what the narrow type costs',
    (_, bits, dtype, factor) => {
      const values = correlatedValues(4 * 64 * 64, 0.9);
      const wide = tensorOf(dtype, [4, 64, 64], clearLowBits(values, bits));
      const full = tensorOf(dtype, [4, 64, 64], new Uint8Array(values.buffer));
      const file = encodeContainer(imageOf(wide));
      const { codec, payloadLength } = readContainerHeader(file);
      expect(codec['mode']).toBe(`float-quant:${bits}`);
      expect(payloadLength * factor).toBeLessThan(readContainerHeader(encodeContainer(imageOf(full))).payloadLength);
      if (bits === 16) {
        const narrow = readContainerHeader(
          encodeContainer(imageOf(tensorOf('bf16', [4, 64, 64], truncateToBf16(values)))),
        );
        expect(payloadLength).toBeLessThan(narrow.payloadLength * 1.02);
      }
      expect(Buffer.compare(decodeContainer(file).tensor.data, wide.data)).toBe(0);
    },
  );

  it('refuse what a reader would refuse, naming it', () => {
    const tensor = everyPattern('f16');
    const refused: [Partial<LatentImage>, string][] = [
      [{ model: '' }, 'header.model'],
      [{ width: 0 }, 'header.width'],
      [{ width: 128 * 64 + 1 }, 'header.width'],
      [{ height: 1.5 }, 'header.height'],
      [{ origin: { kind: 'encoded', psnr: NaN, ssim: 1 } }, 'origin'],
      [{ pngChunks: { beforeIdat: [chunk('IDAT', '')], afterIdat: [] } }, 'header.pngChunks[0].type'],
      [{ pngChunks: { beforeIdat: [chunk('tEXt', 'x'.repeat(4 << 20))], afterIdat: [] } }, 'header'],
      [{ tensor: { ...tensor, shape: [4, 128, 129] } }, 'tensor.data'],
      [{ tensor: { ...tensor, shape: [65_536] } }, 'header.shape'],
    ];
    for (const [more, field] of refused) {
      expect(() => encodeContainer(imageOf(tensor, more)), field).toThrow(expect.objectContaining({ field }));
    }
  });
});

describe('readContainerHeader', () => {
  const file = encodeContainer(imageOf(everyPattern('f16')));
  const { payloadOffset } = readContainerHeader(file);

  it('works on a prefix that holds the header and refuses any shorter one', () => {
    expect(readContainerHeader(file.subarray(0, payloadOffset))).toEqual(readContainerHeader(file));
    for (let length = 0; length < payloadOffset; length += 7) {
      expect(() => readContainerHeader(file.subarray(0, length))).toThrow(CodecError);
    }
  });

  it('refuses a version that it does not know and a header over the limit, before it reads it', () => {
    const version2 = Uint8Array.from(file);
    version2[8] = 2;
    expect(() => readContainerHeader(version2)).toThrow(/version: 2 is unknown/);
    const long = Uint8Array.from(file);
    long[15] = 0x40;
    expect(() => readContainerHeader(long)).toThrow(expect.objectContaining({ field: 'header length' }));
    expect(() => readContainerHeader(file, { maxElements: 1 << 20, maxHeaderBytes: 10 })).toThrow(/the limit is 10/);
  });

  it('notices any single damaged byte of prefix and header', () => {
    for (let position = 0; position < payloadOffset; position++) {
      const damaged = Uint8Array.from(file.subarray(0, payloadOffset));
      damaged[position] = (damaged[position] ?? 0) ^ 0x20;
      expect(() => readContainerHeader(damaged)).toThrow(CodecError);
    }
  });

  it.each<[string, (header: Record<string, unknown>) => unknown]>([
    ['header.model', ({ model: _, ...rest }) => rest],
    ['header.dtype', (header) => ({ ...header, dtype: 'f64' })],
    ['header.dtype', (header) => ({ ...header, dtype: 'constructor' })],
    ['header.shape', (header) => ({ ...header, shape: [4, 128] })],
    ['header.shape', (header) => ({ ...header, shape: [1 << 20, 1 << 20, 1 << 20] })],
    ['header.shape', (header) => ({ ...header, shape: [-4, 128, 128] })],
    ['header.width', (header) => ({ ...header, width: '1024' })],
    ['header.scaled', (header) => ({ ...header, scaled: 1 })],
    ['header.origin', (header) => ({ ...header, origin: null })],
    ['header.origin.kind', (header) => ({ ...header, origin: { kind: 'found' } })],
    ['header.origin.psnr', (header) => ({ ...header, origin: { kind: 'encoded', psnr: '40', ssim: 1 } })],
    ['header.pngChunks', (header) => ({ ...header, pngChunks: {} })],
    ['header.pngChunks[0].at', (header) => ({ ...header, pngChunks: [{ type: 'tEXt', at: 'there', data: '' }] })],
    [
      'header.pngChunks[0].data',
      (header) => ({ ...header, pngChunks: [{ type: 'tEXt', at: 'afterIdat', data: '*' }] }),
    ],
    ['header.attributes.a', (header) => ({ ...header, attributes: { a: 1 } })],
    ['header.tensorSha256', (header) => ({ ...header, tensorSha256: 'AB' })],
    ['header.codec.id', (header) => ({ ...header, codec: {} })],
    ['header.codec.x', (header) => ({ ...header, codec: { id: 'pcodec', x: null } })],
    ['header.payload', (header) => ({ ...header, payload: 7 })],
    ['header.payload.length', (header) => ({ ...header, payload: { length: -1, sha256: '' } })],
    ['header', () => '[]'],
    ['header', () => '{"a":1'],
    ['header.model', (header) => `{"model":"x",${JSON.stringify(header).slice(1)}`],
  ])('names %s where it is wrong (case %#)', (field, change) => {
    expect(() => readContainerHeader(withHeader(file, change))).toThrow(expect.objectContaining({ field }));
  });

  it('leaves keys that it does not know to later writers', () => {
    expect(readContainerHeader(withHeader(file, (header) => ({ ...header, later: [1] }))).model).toBe('tiny');
  });
});

describe('decodeContainer of untrusted files', () => {
  const tensor = tensorOf(
    'f16',
    [4, 16, 16],
    new Uint8Array(2048).map((_, index) => index * 7),
  );
  const file = encodeContainer(imageOf(tensor));
  const { payloadOffset, payloadLength } = readContainerHeader(file);
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  it.each<[string, Uint8Array, string]>([
    ['a payload that is cut', file.subarray(0, -1), 'header.payload.length'],
    ['bytes after the payload', Buffer.concat([file, Buffer.of(0)]), 'header.payload.length'],
    [
      'a damaged payload',
      file.map((byte, index) => (index === payloadOffset + 40 ? byte ^ 1 : byte)),
      'header.payload.sha256',
    ],
    [
      'a wrong tensor hash',
      withHeader(file, (header) => ({ ...header, tensorSha256: '0'.repeat(64) })),
      'header.tensorSha256',
    ],
    ['an unknown codec', withHeader(file, (header) => ({ ...header, codec: { id: 'later-1' } })), 'header.codec.id'],
    [
      'a codec named as a property of objects',
      withHeader(file, (header) => ({ ...header, codec: { id: 'toString' } })),
      'header.codec.id',
    ],
    ['a shape larger than the payload', withHeader(file, (header) => ({ ...header, shape: [4, 16, 17] })), 'payload'],
    ['a shape smaller than the payload', withHeader(file, (header) => ({ ...header, shape: [4, 16, 15] })), 'data'],
    ['another type than the payload has', withHeader(file, (header) => ({ ...header, dtype: 'bf16' })), 'payload'],
  ])('refuses %s', (_, bytes, field) => {
    expect(() => decodeContainer(bytes)).toThrow(expect.objectContaining({ field }));
  });

  it('refuses a forged payload of the right hash that is no pcodec', () => {
    const forged = Buffer.alloc(payloadLength, 'x');
    const bytes = withHeader(Buffer.concat([file.subarray(0, payloadOffset), forged]), (header) => ({
      ...header,
      payload: { length: forged.byteLength, sha256: sha256(forged) },
    }));
    expect(() => decodeContainer(bytes)).toThrow(expect.objectContaining({ format: 'pcodec', field: 'magic' }));
  });

  it('holds the shape to the limits of the caller', () => {
    expect(() => decodeContainer(file, { maxElements: 1023, maxHeaderBytes: 1 << 20 })).toThrow(
      expect.objectContaining({ field: 'header.shape' }),
    );
  });

  it('answers any damage behind a right CRC with a CodecError or the right tensor', () => {
    fc.assert(
      fc.property(fc.nat({ max: file.byteLength - 1 }), fc.integer({ min: 1, max: 255 }), (position, mask) => {
        const damaged = Uint8Array.from(file);
        damaged[position] = (damaged[position] ?? 0) ^ mask;
        new DataView(damaged.buffer).setUint32(16, crc32(damaged.subarray(PREFIX_BYTES, payloadOffset)), true);
        try {
          expect(Buffer.compare(decodeContainer(damaged).tensor.data, tensor.data)).toBe(0);
        } catch (error) {
          if (!(error instanceof CodecError)) throw error;
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('unusedLowBits', () => {
  it.each([
    [16, 'f32', [0x3f800000, 0xc0010000]],
    [13, 'f32', [0x3f802000, 0x3f800000]],
    [0, 'f32', [0x3f800001]],
    [0, 'f32', []],
    [0, 'f32', [0x80000000, 0]],
  ] as const)('is %i for %s of %j', (bits, dtype, words) => {
    expect(unusedLowBits(tensorOf(dtype, [words.length], new Uint8Array(Uint32Array.from(words).buffer)))).toBe(bits);
  });
});
