import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError } from '../errors.js';
import { everyPattern, tensorOf } from '../testing/tensors.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

function safetensorsFile(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}

const entry = (dtype: string, shape: readonly number[], offsets: readonly number[]) => ({
  dtype,
  shape,
  data_offsets: offsets,
});

describe('readSafetensors', () => {
  it('reads what writeSafetensors writes: names, order, shapes, metadata', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.string({ maxLength: 8 }),
            fc.constantFrom('f16', 'bf16', 'f32'),
            fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
          ),
          {
            maxLength: 5,
          },
        ),
        fc.dictionary(fc.string({ maxLength: 5 }), fc.string()),
        (items, metadata) => {
          const tensors = new Map(
            items
              .filter(([name]) => name !== '__metadata__')
              .map(([name, dtype, shape]) => {
                const count = shape.reduce((product, size) => product * size, 1);
                return [
                  name,
                  tensorOf(dtype, shape, Buffer.alloc(count * (dtype === 'f32' ? 4 : 2), name.length + 1)),
                ] as const;
              }),
          );
          const back = readSafetensors(writeSafetensors(tensors, metadata));
          expect(
            new Map([...back.tensors].map(([name, tensor]) => [name, { ...tensor, data: [...tensor.data] }])),
          ).toEqual(new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, data: [...tensor.data] }])));
          expect({ ...back.metadata }).toEqual({ ...metadata });
        },
      ),
    );
  });

  it('keeps every bf16 pattern', () => {
    const tensor = everyPattern('bf16');
    const back = readSafetensors(writeSafetensors(new Map([['latent', tensor]]))).tensors.get('latent');
    expect(back?.dtype).toBe('bf16');
    expect(Buffer.compare(back?.data ?? new Uint8Array(0), tensor.data)).toBe(0);
  });

  it('reads tensors in any order of the header, at odd offsets, and empty ones', () => {
    const header = JSON.stringify({
      b: entry('F16', [1], [2, 4]),
      empty: entry('F32', [0], [0, 0]),
      a: entry('BF16', [1], [0, 2]),
    });
    const file = safetensorsFile(`${header} `.padEnd(header.length + 2), Uint8Array.of(1, 2, 3, 4));
    const { tensors } = readSafetensors(file);
    expect([...tensors.keys()]).toEqual(['empty', 'a', 'b']);
    expect([...(tensors.get('b')?.data ?? [])]).toEqual([3, 4]);
  });

  it('keeps a tensor named __proto__ as a tensor', () => {
    const file = safetensorsFile(`{"__proto__":${JSON.stringify(entry('F16', [1], [0, 2]))}}`, new Uint8Array(2));
    expect([...readSafetensors(file).tensors.keys()]).toEqual(['__proto__']);
  });

  const two = new Uint8Array(2);
  it.each([
    ['a gap', { a: entry('F16', [1], [2, 4]) }, new Uint8Array(4), 'a.data_offsets'],
    ['an overlap', { a: entry('F16', [2], [0, 4]), b: entry('F16', [1], [2, 4]) }, new Uint8Array(4), 'b.data_offsets'],
    ['data of no tensor', { a: entry('F16', [1], [0, 2]) }, new Uint8Array(3), 'data'],
    ['offsets behind the end', { a: entry('F16', [2], [0, 4]) }, two, 'a.data_offsets'],
    ['offsets that do not match the shape', { a: entry('F16', [2], [0, 2]) }, two, 'a.data_offsets'],
    ['offsets in reverse', { a: entry('F16', [1], [2, 0]) }, two, 'a.data_offsets'],
    ['negative offsets', { a: entry('F16', [1], [-2, 0]) }, two, 'a.data_offsets'],
    ['three offsets', { a: entry('F16', [1], [0, 2, 4]) }, two, 'a.data_offsets'],
    ['a negative size', { a: entry('F16', [-1], [0, 2]) }, two, 'a.shape'],
    ['a fractional size', { a: entry('F16', [0.5], [0, 1]) }, two, 'a.shape'],
    ['a product beyond 2^53', { a: entry('F16', [2 ** 40, 2 ** 40], [0, 2]) }, two, 'a.shape'],
    ['a type that is no latent', { a: entry('I64', [1], [0, 8]) }, new Uint8Array(8), 'a.dtype'],
    ['a type of the prototype', { a: entry('constructor', [1], [0, 2]) }, two, 'a.dtype'],
    ['an entry that is a list', { a: [] }, two, 'a'],
    ['an unknown key', { a: { ...entry('F16', [1], [0, 2]), x: 1 } }, two, 'a.x'],
    ['metadata that is no text', { __metadata__: { a: 1 } }, new Uint8Array(0), '__metadata__.a'],
  ])('refuses %s', (_, header, data, field) => {
    expect(() => readSafetensors(safetensorsFile(JSON.stringify(header), data))).toThrow(
      expect.objectContaining({ field }),
    );
  });

  it('refuses f64 with what to do', () => {
    const file = safetensorsFile(JSON.stringify({ a: entry('F64', [1], [0, 8]) }), new Uint8Array(8));
    expect(() => readSafetensors(file)).toThrow(/save tensor\.float\(\)/);
  });

  it('refuses a key that occurs twice, however it is written', () => {
    const value = JSON.stringify(entry('F16', [1], [0, 2]));
    for (const second of ['a', '\\u0061']) {
      const file = safetensorsFile(`{"a":${value},"${second}" : ${value}}`, two);
      expect(() => readSafetensors(file)).toThrow(expect.objectContaining({ field: 'header.a' }));
    }
    const inner = safetensorsFile(`{"__metadata__":{"k":"{\\"k\\":1}","k":"2"}}`);
    expect(() => readSafetensors(inner)).toThrow(/header\.k: occurs twice/);
  });

  it('does not take a text that looks like a key for one', () => {
    const file = safetensorsFile(JSON.stringify({ __metadata__: { a: '"a":1,"a":2', b: 'a' } }));
    expect(readSafetensors(file).metadata).toEqual({ a: '"a":1,"a":2', b: 'a' });
  });

  it.each([
    ['nothing', new Uint8Array(0), 'header length'],
    ['seven bytes', new Uint8Array(7), 'header length'],
    ['a header longer than the file', Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 0x7b]), 'header length'],
    ['a header of 1 GB', Buffer.from([0, 0, 0, 0x40, 0, 0, 0, 0, 0x7b]), 'header length'],
    ['a header of 2^64 - 1', Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 0x7b]), 'header length'],
    ['no JSON', safetensorsFile('{"a":'), 'header'],
    ['a list', safetensorsFile('[1]'), 'header'],
    ['deep nesting', safetensorsFile(`{"a":${'['.repeat(200_000)}`), 'header'],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0x7b, 0xff, 0xff, 0x7d])]),
      'header',
    ],
  ])('refuses %s', (_, file, field) => {
    expect(() => readSafetensors(file)).toThrow(expect.objectContaining({ field }));
  });

  it('answers any damage with a CodecError or tensors', () => {
    const file = writeSafetensors(
      new Map([
        ['a', tensorOf('f16', [2, 3], new Uint8Array(12))],
        ['b', tensorOf('f32', [1], new Uint8Array(4))],
      ]),
    );
    fc.assert(
      fc.property(
        fc.nat({ max: file.byteLength - 1 }),
        fc.nat(255),
        fc.nat({ max: file.byteLength }),
        (position, byte, length) => {
          const damaged = Uint8Array.from(file).subarray(0, length);
          damaged[position] = byte;
          try {
            readSafetensors(damaged);
          } catch (error) {
            if (!(error instanceof CodecError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
