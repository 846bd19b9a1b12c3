import { describe, expect, it } from 'vitest';
import { encodeContainer } from '../container/container.js';
import { tensorOf } from '../testing/tensors.js';
import type { Tensor } from '../tensor.js';
import { detectFormat } from './detect-format.js';
import { unpackFluxLatent } from './flux-packed.js';
import { readLatentFile } from './latent-file.js';
import { writeNpy } from './npy.js';
import { readRawLatent } from './raw.js';
import { writeSafetensors } from './safetensors.js';

function zeros(shape: readonly number[], dtype: Tensor['dtype'] = 'f16'): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensorOf(dtype, shape, new Uint8Array(count * (dtype === 'f32' ? 4 : 2)));
}
const comfy = (marker: boolean, metadata = {}) =>
  writeSafetensors(
    new Map([
      ['latent_tensor', zeros([1, 4, 8, 8], 'f32')],
      ...(marker ? [['latent_format_version_0', zeros([0], 'f32')] as const] : []),
    ]),
    metadata,
  );

describe('readLatentFile', () => {
  it.each([
    ['three axes', [4, 8, 6]],
    ['a batch of one', [1, 4, 8, 6]],
    ['a frame axis of one', [1, 4, 1, 8, 6]],
  ])('reads %s as [C, h, w]', (_, shape) => {
    const file = readLatentFile(writeNpy(zeros(shape)));
    expect(file).toMatchObject({ format: 'npy', scaled: true, tensor: { dtype: 'f16', shape: [4, 8, 6] } });
  });

  it('reads the one tensor of a safetensors file whatever its name', () => {
    const file = readLatentFile(
      writeSafetensors(new Map([['anything', zeros([1, 16, 4, 4], 'bf16')]]), { note: 'kept' }),
    );
    expect(file).toMatchObject({
      format: 'safetensors',
      tensor: { dtype: 'bf16', shape: [16, 4, 4] },
      metadata: { note: 'kept' },
    });
  });

  it("takes ComfyUI's values for the VAE's own scale where its marker is present, and for scaled where it is not", () => {
    expect(readLatentFile(comfy(true)).scaled).toBe(false);
    expect(readLatentFile(comfy(false)).scaled).toBe(true);
  });

  it("keeps ComfyUI's prompt and workflow as the text chunks of its PNGs", () => {
    const { pngChunks } = readLatentFile(
      comfy(true, { workflow: '{"nodes":["é"]}', prompt: '{"1":"日本"}', other: 'x' }),
    );
    expect(pngChunks.afterIdat).toEqual([]);
    expect(pngChunks.beforeIdat.map(({ type, data }) => [type, Buffer.from(data).toString('latin1')])).toEqual([
      ['iTXt', Buffer.from('prompt\0\0\0\0\0{"1":"日本"}').toString('latin1')],
      ['tEXt', 'workflow\0{"nodes":["é"]}'],
    ]);
  });

  it.each([
    ['a batch of two', writeNpy(zeros([2, 4, 8, 8])), /batch of 2 latents/],
    ['two axes', writeNpy(zeros([8, 8])), /no latent of one picture/],
    ['several frames', writeNpy(zeros([1, 4, 3, 8, 8])), /no latent of one picture/],
    [
      'several tensors',
      writeSafetensors(
        new Map([
          ['a', zeros([4, 1, 1])],
          ['b', zeros([4, 1, 1])],
        ]),
      ),
      /holds 2 tensors \("a", "b"\)/,
    ],
    ['no tensor', writeSafetensors(new Map()), /holds no tensor/],
    ['a pickle', Buffer.from([0x80, 2, 0x8a, 10, 0x6c]), /save_file or numpy\.save/],
    ['a text', Buffer.from('hello'), /neither \.npy nor \.safetensors/],
  ])('refuses %s', (_, file, message) => {
    expect(() => readLatentFile(file)).toThrow(message);
  });

  it("needs the picture's size for FLUX's packed layout, and then unpacks it", () => {
    const file = writeNpy(zeros([1, 6, 64]));
    expect(() => readLatentFile(file)).toThrow(/FLUX's packed layout, whose picture size must be given/);
    expect(readLatentFile(file, { image: { width: 48, height: 32 } }).tensor.shape).toEqual([16, 4, 6]);
    expect(() => readLatentFile(file, { image: { width: 64, height: 32 } })).toThrow(/which is \[1, 8, 64\]/);
  });
});

describe('unpackFluxLatent', () => {
  it.each([
    [-32, -16],
    [0, 16],
    [16.5, 16],
    [16, NaN],
  ])('refuses a picture of %d x %d pixels (a product of two negative counts fitted the sequence)', (width, height) => {
    const packed = tensorOf('f16', [1, 2, 64], new Uint8Array(256));
    expect(() => unpackFluxLatent(packed, { width, height })).toThrow(/image (width|height): .* no whole number/);
  });

  it("puts every value where diffusers' view and permute put it", () => {
    const [rows, columns] = [2, 3];
    const packed = Uint16Array.from({ length: rows * columns * 64 }, (_, index) => index);
    const { data, shape } = unpackFluxLatent(tensorOf('f16', [1, rows * columns, 64], new Uint8Array(packed.buffer)), {
      width: 48,
      height: 32,
    });
    const values = new Uint16Array(data.buffer);
    expect(shape).toEqual([16, 4, 6]);
    for (let c = 0; c < 16; c++) {
      for (let y = 0; y < 4; y++) {
        for (let x = 0; x < 6; x++) {
          const position = Math.floor(y / 2) * columns + Math.floor(x / 2);
          expect(values[(c * 4 + y) * 6 + x]).toBe(position * 64 + c * 4 + (y % 2) * 2 + (x % 2));
        }
      }
    }
  });
});

describe('readRawLatent', () => {
  it('takes bytes of the right length and refuses others', () => {
    expect(readRawLatent(new Uint8Array(8), 'bf16', [1, 2, 2])).toMatchObject({ dtype: 'bf16', shape: [1, 2, 2] });
    expect(() => readRawLatent(new Uint8Array(9), 'bf16', [1, 2, 2])).toThrow(
      /9 bytes where \[1, 2, 2\] of bf16 takes 8/,
    );
    expect(() => readRawLatent(new Uint8Array(8), 'bf16', [1, -2, 2])).toThrow(
      expect.objectContaining({ field: 'shape' }),
    );
  });
});

describe('detectFormat', () => {
  const container = encodeContainer({
    model: 'm',
    tensor: zeros([1, 1, 1]),
    width: 8,
    height: 8,
    scaled: true,
    origin: { kind: 'supplied' },
    pngChunks: { beforeIdat: [], afterIdat: [] },
  });
  const torchZip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26), Buffer.from('archive/data.pkl')]);
  it.each([
    ['npy', writeNpy(zeros([1]))],
    ['safetensors', comfy(true)],
    ['safetensors', Buffer.from([0, 0, 0, 0x40, 0, 0, 0, 0, 0x7b, 0x22])],
    ['container', container],
    ['png', Buffer.from('89504e470d0a1a0a0000000d', 'hex')],
    ['pickle', torchZip],
    ['pickle', Buffer.from([0x80, 4, 0x95, 0])],
    ['unknown', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26), Buffer.from('word/document.xml')])],
    ['unknown', Buffer.from('{"a": "some text that is JSON"}')],
    ['unknown', Buffer.from('tab;le{"')],
    ['unknown', new Uint8Array(0)],
    ['unknown', new Uint8Array(64)],
  ] as const)('says %s (case %#)', (format, bytes) => {
    expect(detectFormat(bytes.subarray(0, 64))).toBe(format);
  });
});
