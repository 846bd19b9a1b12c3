/** What is fuzzed: each parser and decoder of untrusted bytes, with seeds of its own and what must hold when it answers. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { decodeContainer, encodeContainer, readContainerHeader } from '../../container/container.js';
import { PREFIX_BYTES } from '../../container/layout.js';
import { CodecError } from '../../errors.js';
import { pcodecCompress, pcodecDecompress, pcodecNumberBytes } from '../../pcodec/pcodec.js';
import { encodePng } from '../../png/index.js';
import { answersOrRefuses as readsPng, mendCrcs } from '../../png/testing/fuzz-reader.js';
import { predictiveCompress, predictiveDecompress } from '../../predictive/predictive.js';
import { latentLike } from '../../predictive/testing/latent-like.js';
import { parseStrictJson } from '../../strict-json.js';
import { BYTES_PER_ELEMENT, type DType, type Tensor, type TensorLimits } from '../../tensor.js';
import { unpackFluxLatent } from '../../tensors/flux-packed.js';
import { readLatentFile } from '../../tensors/latent-file.js';
import { readNpy, writeNpy } from '../../tensors/npy.js';
import { parsePythonDictionary } from '../../tensors/python-literal.js';
import { readRawLatent } from '../../tensors/raw.js';
import { readSafetensors, writeSafetensors } from '../../tensors/safetensors.js';
import { pngTextChunk } from '../../text-chunk.js';

export interface FuzzTarget {
  /** Valid input to start from. */
  readonly seeds: readonly Uint8Array[];
  /**
   * @returns whether the reader answered; false when it refused by its own error
   * @throws Error on a fault: another error than its own, or an answer that breaks a promise
   */
  readonly run: (data: Uint8Array) => boolean;
}

/** Small, so that a run stays short; nothing that a reader gives may be larger. */
const LIMITS: TensorLimits = { maxElements: 1 << 16, maxHeaderBytes: 1 << 12 };
const DTYPES: readonly DType[] = ['f16', 'bf16', 'f32'];

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 37) & 255);
const tensor = (dtype: DType, ...shape: number[]): Tensor => {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype, shape, data: bytes(count * BYTES_PER_ELEMENT[dtype]) };
};

function claim(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken promise: ${what}`);
}

/** A run that a `CodecError` ends is a refusal. */
function answers(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

function checkTensor({ dtype, shape, data }: Tensor): void {
  const count = shape.reduce((product, size) => product * size, 1);
  claim(Number.isSafeInteger(count) && count >= 0 && count <= LIMITS.maxElements, 'the shape is within the limit');
  claim(data.byteLength === count * BYTES_PER_ELEMENT[dtype], 'the data is as long as the shape says');
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const npy: FuzzTarget = {
  seeds: [writeNpy(tensor('f16', 2, 2, 3)), writeNpy(tensor('f32', 5)), writeNpy(tensor('f32'))],
  run: (data) =>
    answers(() => {
      const read = readNpy(data, LIMITS);
      checkTensor(read);
      claim(equal(readNpy(writeNpy(read)).data, read.data), 'what was read can be written and read again');
    }),
};

const safetensors: FuzzTarget = {
  seeds: [
    writeSafetensors(new Map([['latent', tensor('bf16', 1, 2, 3)]]), { model: 'a "b" \u00e4' }),
    writeSafetensors(
      new Map([
        ['a', tensor('f16', 3)],
        ['b', tensor('f32', 0)],
      ]),
    ),
  ],
  run: (data) =>
    answers(() => {
      const { tensors, metadata } = readSafetensors(data, LIMITS);
      const sum = [...tensors.values()].reduce((total, read) => total + read.data.byteLength, 0);
      claim(sum <= data.byteLength, 'tensors are no larger than the file');
      tensors.forEach(checkTensor);
      const again = readSafetensors(writeSafetensors(tensors, metadata));
      claim(again.tensors.size === tensors.size, 'what was read can be written and read again');
    }),
};

const latentFile: FuzzTarget = {
  seeds: [
    writeNpy(tensor('f16', 1, 4, 2, 2)),
    writeNpy(tensor('f16', 1, 4, 64)),
    writeSafetensors(new Map([['latent_tensor', tensor('f32', 1, 4, 1, 1)]]), { prompt: '{}', workflow: 'w' }),
    writeSafetensors(
      new Map([
        ['latent_tensor', tensor('f16', 1, 16, 1, 2, 1)],
        ['latent_format_version_0', tensor('f32', 0)],
      ]),
    ),
    ascii('PK\x03\x04archive/data.pkl'),
    ascii('\x80\x02}q\x00.'),
  ],
  run: (data) =>
    answers(() => {
      const { tensor: read, pngChunks } = readLatentFile(data, { limits: LIMITS, image: { width: 32, height: 32 } });
      checkTensor(read);
      claim(read.shape.length === 3, 'a latent has channels, rows and columns');
      claim(pngChunks.afterIdat.length === 0, 'text goes before the pixels');
    }),
};

/** Four bytes that a header is made of, then the data. */
const shapeHeader = (data: Uint8Array): [DType, number[]] => {
  const [type = 0, ...sizes] = data.subarray(0, 4);
  return [DTYPES[type % DTYPES.length] ?? 'f16', sizes.map((size) => (size > 250 ? (size - 253) / 2 : size))];
};

const raw: FuzzTarget = {
  seeds: [Uint8Array.of(0, 2, 2, 1, ...bytes(8)), Uint8Array.of(2, 1, 1, 1, ...bytes(4)), Uint8Array.of(1, 9, 0, 9)],
  run: (data) =>
    answers(() => {
      const [dtype, shape] = shapeHeader(data);
      checkTensor(readRawLatent(data.subarray(4), dtype, shape, LIMITS));
    }),
};

const fluxPacked: FuzzTarget = {
  seeds: [Uint8Array.of(0, 1, 1, 64, 16, 16, ...bytes(128)), Uint8Array.of(2, 1, 2, 64, 32, 9, ...bytes(512))],
  run: (data) =>
    answers(() => {
      const [dtype, shape] = shapeHeader(data);
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const side = (at: number): number => (at < data.byteLength ? view.getInt8(at) : 0);
      const packed = readRawLatent(data.subarray(6), dtype, shape, LIMITS);
      const image = { width: side(4), height: side(5) };
      const latent = unpackFluxLatent(packed, image);
      checkTensor(latent);
      claim(
        latent.shape.every((size) => size > 0),
        'a picture has a size',
      );
      const sum = (of: Tensor): number => of.data.reduce((total, byte) => total + byte, 0);
      claim(sum(latent) === sum(packed), 'unpacking moves every byte and loses none');
    }),
};

const strictJson: FuzzTarget = {
  seeds: [
    ascii('{"a":[1,{"b":"c\\"}{","\\u0061d":null}],"e":-1.5e3}'),
    ascii('{"__metadata__":{"k":"v"},"t":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}'),
    Buffer.from('{"\u00e4\u{1f600}":true}'),
  ],
  run: (data) =>
    answers(() => {
      const value = parseStrictJson('container', 'header', data);
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(data);
      claim(JSON.stringify(value) === JSON.stringify(JSON.parse(text)), 'the value is what JSON.parse gives');
    }),
};

const pythonLiteral: FuzzTarget = {
  seeds: [
    ascii("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 16, 128, 128), }        \n"),
    ascii('{"descr": "<f4", "fortran_order": True, "shape": (3L,)}'),
    ascii("{'shape': (), 'a': ''}"),
  ],
  run: (data) => {
    const entries = parsePythonDictionary(Buffer.from(data).toString('latin1'));
    for (const value of entries?.values() ?? []) {
      claim(typeof value !== 'object' || value.every((item) => item >= 0), 'a tuple holds whole numbers');
    }
    return entries !== undefined;
  },
};

const latentImage = {
  model: 'sd3.5',
  tensor: tensor('f16', 1, 2, 3),
  width: 24,
  height: 16,
  scaled: true,
  origin: { kind: 'encoded', psnr: 40.5, ssim: 0.99 },
  pngChunks: { beforePlte: [], beforeIdat: [pngTextChunk('parameters', 'a fox')], afterIdat: [] },
  attributes: { key: 'value' },
} as const;

/** The same header and payload with every length, checksum and hash made right, past which no mutation would get. */
export function mendContainer(data: Uint8Array): Uint8Array {
  if (data.byteLength < PREFIX_BYTES) return data;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = Math.min(PREFIX_BYTES + view.getUint32(12, true), data.byteLength);
  const payload = data.subarray(end);
  const text = Buffer.from(data.subarray(PREFIX_BYTES, end)).toString('utf8');
  const sha256 = createHash('sha256').update(payload).digest('hex');
  const mended = Buffer.from(
    text.replace(
      /"payload":\{"length":\d+,"sha256":"\w*"/,
      `"payload":{"length":${payload.byteLength},"sha256":"${sha256}"`,
    ),
  );
  const file = Buffer.concat([data.subarray(0, PREFIX_BYTES), mended, payload]);
  file.writeUInt32LE(mended.byteLength, 12);
  file.writeUInt32LE(crc32(mended), 16);
  return file;
}

const container: FuzzTarget = {
  seeds: [
    encodeContainer(latentImage, { limits: LIMITS }),
    encodeContainer({
      ...latentImage,
      tensor: tensor('bf16', 4, 4, 4),
      width: 32,
      height: 32,
      origin: { kind: 'supplied' },
    }),
    encodeContainer({ ...latentImage, tensor: tensor('f32', 1, 1, 1), width: 8, height: 8 }),
  ],
  run: (data) =>
    [data, mendContainer(data)]
      .map((file) => {
        const headed = answers(() => {
          const { pngChunks, payloadOffset } = readContainerHeader(file, LIMITS);
          const chunks = [...(pngChunks.beforePlte ?? []), ...pngChunks.beforeIdat, ...pngChunks.afterIdat];
          const kept = chunks.reduce((sum, chunk) => sum + chunk.data.byteLength, 0);
          claim(kept < payloadOffset, 'chunks are no larger than the header');
        });
        const decoded = answers(() => checkTensor(decodeContainer(file, LIMITS).tensor));
        claim(headed || !decoded, 'a file that decodes has a header that reads');
        return decoded;
      })
      .includes(true),
};

const png: FuzzTarget = {
  seeds: [
    encodePng(bytes(12), { width: 2, height: 2, channels: 3 }),
    encodePng(bytes(16), {
      width: 2,
      height: 2,
      channels: 4,
      chunks: { beforeIdat: [pngTextChunk('k', 'v')], afterIdat: [pngTextChunk('k', '\u03bb')] },
    }),
  ],
  run: (data) => [data, mendCrcs(data)].map(readsPng).includes(true),
};

const words16 = (length: number): Uint8Array =>
  new Uint8Array(Uint16Array.from({ length }, (_, index) => 15_000 + ((index * index) % 700)).buffer);
const pcodec: FuzzTarget = {
  seeds: [
    pcodecCompress(words16(600), 'u16', { mode: 'classic', delta: 'none' }),
    pcodecCompress(words16(300), 'f16', { mode: 'classic', delta: 'consecutive:1' }),
    pcodecCompress(words16(300), 'f16', { mode: 'float-quant:3' }),
    pcodecCompress(words16(600), 'f32', { mode: 'classic', delta: 'none' }),
    pcodecCompress(words16(300), 'u16', { mode: 'dict' }),
    pcodecCompress(words16(300), 'u32', { mode: 'int-mult:10', delta: 'lookback' }),
    pcodecCompress(words16(300), 'i16', { delta: 'conv1:2' }),
    pcodecCompress(words16(300), 'f64', { chunk: 30 }),
  ],
  run: (data) =>
    answers(() => {
      const { numberType, data: numbers } = pcodecDecompress(data, LIMITS.maxElements);
      const count = numbers.byteLength / pcodecNumberBytes(numberType);
      claim(Number.isInteger(count) && count <= LIMITS.maxElements, 'no more numbers than allowed');
    }),
};

const predictive: FuzzTarget = {
  seeds: [
    predictiveCompress(latentLike('bf16', [2, 8, 16])),
    predictiveCompress(latentLike('f16', [3, 12, 9])),
    predictiveCompress(tensor('f32', 1, 1, 0)),
  ].filter((stream) => stream !== undefined),
  // A container's header says what to expect: here it says what the stream does, within the limit.
  run: (data) =>
    answers(() => {
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const at = (offset: number): number => (offset + 4 <= data.byteLength ? view.getUint32(offset, true) : 0);
      const shape = [at(8), at(12), at(16)];
      const dtype = DTYPES[Math.min(data[4] ?? 0, 2)] ?? 'f32';
      const count = shape.reduce((product, size) => product * size, 1);
      if (count > LIMITS.maxElements) return;
      checkTensor({ dtype, shape, data: predictiveDecompress(data, dtype, shape) });
    }),
};

export const FUZZ_TARGETS: Readonly<Record<string, FuzzTarget>> = {
  npy,
  safetensors,
  'latent-file': latentFile,
  raw,
  'flux-packed': fluxPacked,
  'strict-json': strictJson,
  'python-literal': pythonLiteral,
  container,
  png,
  pcodec,
  predictive,
};
