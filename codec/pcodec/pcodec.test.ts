import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError } from '../errors.js';
import { correlatedValues, everyPattern } from '../testing/tensors.js';
import {
  pcodecCompress,
  pcodecCompressPlanes,
  pcodecDecompress,
  pcodecNumberBytes,
  type PcodecDelta,
  type PcodecMode,
  type PcodecNumberType,
} from './pcodec.js';

const NUMBER_TYPES: readonly PcodecNumberType[] = [
  'u8',
  'i8',
  'u16',
  'i16',
  'f16',
  'u32',
  'i32',
  'f32',
  'u64',
  'i64',
  'f64',
];
const DELTAS: readonly PcodecDelta[] = [
  'auto',
  'none',
  'lookback',
  'consecutive:1',
  'consecutive:7',
  'conv1:1',
  'conv1:6',
  'conv1:32',
];
const FLOAT_MODES: readonly PcodecMode[] = ['auto', 'classic', 'dict', 'float-quant:3', 'float-mult:0.25'];
const INTEGER_MODES: readonly PcodecMode[] = ['auto', 'classic', 'dict', 'int-mult:8'];
const MAX = 1 << 20;

function expectSame(actual: Uint8Array, expected: Uint8Array) {
  expect(Buffer.compare(actual, expected)).toBe(0);
}

describe('pcodecCompress and pcodecDecompress', () => {
  const patterns = everyPattern('f16').data;

  it.each(FLOAT_MODES.flatMap((mode) => DELTAS.map((delta) => ({ mode, delta }))))(
    'keep every f16 pattern, NaN payloads and negative zero included, by $mode and $delta',
    ({ mode, delta }) => {
      const file = pcodecCompress(patterns, 'f16', { mode, delta, level: 4 });
      const { numberType, data } = pcodecDecompress(file, 1 << 16);
      expect(numberType).toBe('f16');
      expectSame(data, patterns);
    },
  );

  it.each(INTEGER_MODES.flatMap((mode) => DELTAS.map((delta) => ({ mode, delta }))))(
    'keep every u16 pattern by $mode and $delta',
    ({ mode, delta }) => {
      const file = pcodecCompress(patterns, 'u16', { mode, delta, level: 4 });
      expectSame(pcodecDecompress(file, 1 << 16).data, patterns);
    },
  );

  it.each(NUMBER_TYPES)('keep any %s numbers, none and one included', (numberType) => {
    const bytes = pcodecNumberBytes(numberType);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 800 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 300 }),
        (random, level, chunk) => {
          const input = random.subarray(0, random.byteLength - (random.byteLength % bytes));
          const file = pcodecCompress(input, numberType, { level, chunk });
          const result = pcodecDecompress(file, input.byteLength / bytes);
          expect(result.numberType).toBe(numberType);
          expectSame(result.data, input);
        },
      ),
      { numRuns: 60 },
    );
    expect(pcodecDecompress(pcodecCompress(new Uint8Array(0), numberType), 0)).toEqual({
      numberType,
      data: new Uint8Array(0),
    });
  });

  // Noise over a narrow range with rare values far off: bins of no bits and of all bits in one chunk.
  const uneven = (index: number, bits: number): number =>
    index % 97 === 0 ? Math.imul(index, 2_654_435_761) >>> (32 - bits) : 30_000 + ((index * index) % 300);
  const uneven16 = Uint16Array.from({ length: 70_000 }, (_, index) => uneven(index, 16));
  const uneven32 = Uint32Array.from({ length: 70_000 }, (_, index) => uneven(index, 32));
  const wide = Uint32Array.from({ length: 70_000 }, (_, index) => Math.imul(index, 2_654_435_761));
  const cut = wide.map((word) => word & 0xffff_0000);

  it.each([
    { numberType: 'u16', mode: 'classic', numbers: uneven16 },
    { numberType: 'i16', mode: 'classic', numbers: uneven16 },
    { numberType: 'f16', mode: 'classic', numbers: uneven16 },
    { numberType: 'f16', mode: 'float-quant:3', numbers: uneven16.map((word) => word & 0xfff8) },
    { numberType: 'f16', mode: 'float-quant:3', numbers: uneven16 },
    { numberType: 'f32', mode: 'classic', numbers: uneven32 },
    { numberType: 'f32', mode: 'classic', numbers: wide },
    { numberType: 'f32', mode: 'float-quant:16', numbers: cut },
    { numberType: 'f32', mode: 'float-quant:16', numbers: cut.map((word) => (word >>> 31 ? word | 0xffff : word)) },
  ] as const)(
    'keep $numberType numbers by $mode that end anywhere in a batch of 256',
    ({ numberType, mode, numbers }) => {
      for (const length of [1, 2, 3, 4, 5, 255, 256, 257, 258, 511, 512, 513, 70_000]) {
        const input = new Uint8Array(numbers.buffer, 0, length * numbers.BYTES_PER_ELEMENT);
        for (const delta of ['none', 'consecutive:1'] as const) {
          for (const level of [0, 4, 12]) {
            const file = pcodecCompress(input, numberType, { mode, delta, level });
            expectSame(pcodecDecompress(file, length).data, input);
          }
        }
      }
    },
  );

  it('give the same bytes for the same numbers', () => {
    expectSame(pcodecCompress(patterns, 'f16'), pcodecCompress(patterns, 'f16'));
  });

  it('read input at odd addresses', () => {
    const shifted = new Uint8Array(patterns.byteLength + 1);
    shifted.set(patterns, 1);
    const file = pcodecCompress(shifted.subarray(1), 'f16');
    const shiftedFile = new Uint8Array(file.byteLength + 3);
    shiftedFile.set(file, 3);
    expectSame(pcodecDecompress(shiftedFile.subarray(3), 1 << 16).data, patterns);
  });

  it('keep large tensors and go on with a small memory afterwards', () => {
    const large = new Uint8Array(40 << 20).map((_, index) => index * 31);
    for (let round = 0; round < 3; round++) {
      expectSame(
        pcodecDecompress(pcodecCompress(large, 'u32', { level: 0, mode: 'classic', delta: 'none' }), 10 << 20).data,
        large,
      );
    }
    expectSame(pcodecDecompress(pcodecCompress(patterns, 'f16'), 1 << 16).data, patterns);
  });

  it.each([
    ['level', { level: 13 }],
    ['level', { level: 1.5 }],
    ['chunk', { chunk: 0 }],
    ['chunk', { chunk: (1 << 24) + 1 }],
    ['mode', { mode: 'float-quant:x' as PcodecMode }],
    ['mode', { mode: 'int-mult:0' as PcodecMode }],
    ['mode', { mode: 'constructor' as PcodecMode }],
    ['delta', { delta: 'consecutive:8' as PcodecDelta }],
    ['delta', { delta: 'conv1' as PcodecDelta }],
    ['delta', { delta: 'none:1' as PcodecDelta }],
  ])('refuse a wrong %s: %j', (field, settings) => {
    expect(() => pcodecCompress(patterns, 'f16', settings)).toThrow(
      expect.objectContaining({ field: `settings.${field}` }),
    );
  });

  it('refuse half a number', () => {
    expect(() => pcodecCompress(new Uint8Array(3), 'f16')).toThrow(/no whole count/);
  });

  it('refuse a mode that the type does not have, and go on working', () => {
    expect(() => pcodecCompress(patterns, 'f16', { mode: 'int-mult:8' })).toThrow(CodecError);
    expectSame(pcodecDecompress(pcodecCompress(patterns, 'f16'), 1 << 16).data, patterns);
  });
});

describe('pcodecDecompress of untrusted files', () => {
  const file = pcodecCompress(new Uint8Array(correlatedValues(3000, 0.9).buffer), 'f32', { chunk: 1000 });
  const withByte = (position: number, change: (byte: number) => number) =>
    file.map((byte, index) => (index === position ? change(byte) : byte));

  it('refuses a file with more numbers than allowed, by hint and by chunk', () => {
    expect(() => pcodecDecompress(file, 2999)).toThrow(/declares 3000 numbers, the limit is 2999/);
    const withoutHint = Buffer.concat([file.subarray(0, 4), Buffer.from([3, 0, 0, 4, 1]), file.subarray(9)]);
    expect(() => pcodecDecompress(withoutHint, 999)).toThrow(CodecError);
  });

  it('refuses a hint of 2^62 numbers at once', () => {
    const bomb = Buffer.from([
      0x70, 0x63, 0x6f, 0x21, 3, 9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 4, 1, 0,
    ]);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => pcodecDecompress(bomb, 1 << 26)).toThrow(CodecError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  });

  it('refuses a dictionary that is longer than the file', () => {
    // Header (f64, hint 0, format 4.1), chunk of one number: mode 4 (dict), 2^25 - 1 entries.
    const bomb = Buffer.from([0x70, 0x63, 0x6f, 0x21, 3, 6, 0, 4, 1, 6, 0, 0, 0, 0xf4, 0xff, 0xff, 0x1f, 0, 0, 0, 0]);
    expect(() => pcodecDecompress(bomb, 1000)).toThrow(/dictionary of 33554431 entries/);
  });

  it('refuses what follows the end, and an end that is missing', () => {
    expect(() => pcodecDecompress(Buffer.concat([file, Buffer.of(1)]), MAX)).toThrow(/1 bytes follow/);
    expect(() => pcodecDecompress(file.subarray(0, -1), MAX)).toThrow(CodecError);
  });

  it('refuses other files', () => {
    expect(() => pcodecDecompress(Buffer.from('pco'), MAX)).toThrow(/begins with "pco!"/);
    expect(() =>
      pcodecDecompress(
        withByte(4, () => 9),
        MAX,
      ),
    ).toThrow(/version/);
    expect(() =>
      pcodecDecompress(
        withByte(5, () => 99),
        MAX,
      ),
    ).toThrow(/number type/);
  });

  it('answers any damage with a CodecError or with numbers, never with another error, and works on', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: file.byteLength - 1 }), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 0, max: file.byteLength }),
        (changes, length) => {
          const damaged = Uint8Array.from(file);
          for (const [position, mask] of changes) damaged[position] = (damaged[position] ?? 0) ^ mask;
          for (const bytes of [damaged, damaged.subarray(0, length)]) {
            try {
              expect(pcodecDecompress(bytes, 5000).data.byteLength).toBeLessThanOrEqual(5000 * 8);
            } catch (error) {
              if (!(error instanceof CodecError)) throw error;
            }
          }
        },
      ),
      { numRuns: 1500 },
    );
    expect(pcodecDecompress(file, 3000).data.byteLength).toBe(12_000);
  });
});

describe('pcodecCompressPlanes', () => {
  it('keeps every pattern of the types that it takes, for planes of any length', () => {
    const { data } = everyPattern('bf16');
    for (const numberType of ['u16', 'f16', 'f32'] as const) {
      for (const plane of [1000, 16_384, 1 << 20]) {
        const back = pcodecDecompress(pcodecCompressPlanes(data, numberType, plane), 1 << 16);
        expect(back.numberType).toBe(numberType);
        expectSame(back.data, data);
      }
    }
    expect(pcodecDecompress(pcodecCompressPlanes(new Uint8Array(0), 'f16', 1), 0).data.byteLength).toBe(0);
  });

  it('codes smooth planes by differences and gives unlike planes tables of their own', () => {
    const count = 16_384;
    const planes = [0.99, 0, 0.99, 0].map((correlation, index) => {
      const values = correlatedValues(count, correlation, index + 1);
      return Buffer.from(values.map((value) => value * 10 ** index).buffer);
    });
    const tensor = Buffer.concat(planes);
    const ours = pcodecCompressPlanes(tensor, 'f32', count).byteLength;
    const uniform = (['none', 'consecutive:1'] as const).map(
      (delta) => pcodecCompress(tensor, 'f32', { mode: 'classic', delta }).byteLength,
    );
    expect(ours).toBeLessThan(0.98 * Math.min(...uniform));
  });
});

describe('worker threads', () => {
  it('have engines of their own and give the same bytes at the same time', async () => {
    const entry = new URL('../../dist/codec/index.js', import.meta.url);
    const program = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.entry).then(({ pcodecCompress, pcodecDecompress }) => {
        let same = true;
        for (let round = 0; round < 10; round++) {
          const back = pcodecDecompress(pcodecCompress(workerData.input, 'f16'), 65536).data;
          same &&= Buffer.compare(back, workerData.input) === 0;
        }
        parentPort.postMessage(same);
      });`;
    const inputs = [1, 2, 3].map((step) => everyPattern('f16').data.map((byte) => byte * step));
    const answers = await Promise.all(
      inputs.map(
        (input) =>
          new Promise((resolve, reject) => {
            const worker = new Worker(program, { eval: true, workerData: { entry: entry.href, input } });
            worker.once('message', resolve).once('error', reject);
          }),
      ),
    );
    expect(answers, fileURLToPath(entry)).toEqual([true, true, true]);
  });
});
