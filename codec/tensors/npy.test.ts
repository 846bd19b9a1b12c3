import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError } from '../errors.js';
import { everyPattern, tensorOf } from '../testing/tensors.js';
import { readNpy, writeNpy } from './npy.js';

function npyFile(version: 1 | 2 | 3, dictionary: string, data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(Buffer.byteLength(dictionary), 0, length.byteLength);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.of(version, 0),
    length,
    Buffer.from(dictionary),
    data,
  ]);
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe('readNpy', () => {
  it('reads what writeNpy writes, for any shape and value', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('f16', 'f32'),
        fc.array(fc.nat({ max: 5 }), { maxLength: 5 }),
        fc.nat(255),
        (dtype, shape, fill) => {
          const count = shape.reduce((product, size) => product * size, 1);
          const tensor = tensorOf(
            dtype,
            shape,
            new Uint8Array(count * (dtype === 'f16' ? 2 : 4)).map((_, index) => index + fill),
          );
          const back = readNpy(writeNpy(tensor));
          expect({ ...back, data: [...back.data] }).toEqual({ ...tensor, data: [...tensor.data] });
        },
      ),
    );
  });

  it('keeps every f16 pattern', () => {
    const tensor = everyPattern('f16');
    expect(Buffer.compare(readNpy(writeNpy(tensor)).data, tensor.data)).toBe(0);
  });

  it.each([1, 2, 3] as const)('reads version %i with and without padding', (version) => {
    const data = Uint8Array.of(1, 2, 3, 4);
    for (const padding of ['', ' \n', '     ']) {
      const { dtype, shape } = readNpy(npyFile(version, header('<f2', '(2,)') + padding, data));
      expect({ dtype, shape }).toEqual({ dtype: 'f16', shape: [2] });
    }
  });

  it('reads keys in any order, double quotes and no trailing comma', () => {
    const dictionary = `{"shape": (1, 1), "descr": "<f4", "fortran_order": False}`;
    expect(readNpy(npyFile(1, dictionary, new Uint8Array(4))).shape).toEqual([1, 1]);
  });

  it('reads a scalar and the shapes of Python 2', () => {
    expect(readNpy(npyFile(1, header('<f4', '()'), new Uint8Array(4))).shape).toEqual([]);
    expect(readNpy(npyFile(1, header('<f4', '(1L, 1L)'), new Uint8Array(4))).shape).toEqual([1, 1]);
  });

  it('brings big-endian values into little-endian order', () => {
    expect([...readNpy(npyFile(1, header('>f2', '(2,)'), Uint8Array.of(1, 2, 3, 4))).data]).toEqual([2, 1, 4, 3]);
    expect([...readNpy(npyFile(1, header('>f4', '(1,)'), Uint8Array.of(1, 2, 3, 4))).data]).toEqual([4, 3, 2, 1]);
  });

  it('brings Fortran order into C order', () => {
    // numpy.asfortranarray(numpy.arange(6).reshape(1, 2, 3)) lies in memory as 0 3 1 4 2 5.
    const words = Uint16Array.of(0, 3, 1, 4, 2, 5);
    const { data } = readNpy(npyFile(1, header('<f2', '(1, 2, 3)', 'True'), new Uint8Array(words.buffer)));
    expect([...new Uint16Array(data.buffer, data.byteOffset, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('reads Fortran order as NumPy does, for any shape', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
        const count = shape.reduce((product, size) => product * size, 1);
        const fortran = new Uint32Array(count);
        for (let c = 0; c < count; c++) {
          // c's indices by C order, then their place by Fortran order.
          let rest = c;
          const index = shape.map(() => 0);
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            index[axis] = rest % (shape[axis] ?? 1);
            rest = Math.floor(rest / (shape[axis] ?? 1));
          }
          let place = 0;
          for (let axis = shape.length - 1; axis >= 0; axis--) place = place * (shape[axis] ?? 1) + (index[axis] ?? 0);
          fortran[place] = c;
        }
        const tuple = `(${shape.join(', ')},)`;
        const { data } = readNpy(npyFile(1, header('<f4', tuple, 'True'), new Uint8Array(fortran.buffer)));
        expect([...new Uint32Array(data.buffer, data.byteOffset, count)]).toEqual([...Array(count).keys()]);
      }),
    );
  });

  it.each([
    ['float64', '<f8', /astype\(numpy\.float32\)/],
    ['bfloat16 as void', '|V2', /save \.safetensors instead/],
    ['integers', '<i4', /float16 \(<f2\) or float32/],
    ['nonsense', 'f2', /is not read/],
  ])('refuses %s with what to do', (_, descr, message) => {
    expect(() => readNpy(npyFile(1, header(descr, '(1,)'), new Uint8Array(8)))).toThrow(message);
  });

  it.each([
    ['structured arrays', `{'descr': [('a', '<f2')], 'fortran_order': False, 'shape': (1,)}`, 'header'],
    ['a repeated key', `{'descr': '<f2', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}`, 'header'],
    ['a missing key', `{'descr': '<f2', 'shape': (1,)}`, 'header.fortran_order'],
    ['an unknown key', `{'descr': '<f2', 'fortran_order': False, 'shape': (1,), 'x': True}`, 'header.x'],
    ['a number for a shape', header('<f2', '(1)'), 'header'],
    ['a negative size', header('<f2', '(-1,)'), 'header'],
    ['code', `__import__('os')`, 'header'],
    ['text after the dictionary', header('<f2', '(1,)') + 'x', 'header'],
  ])('refuses %s', (_, dictionary, field) => {
    expect(() => readNpy(npyFile(1, dictionary, new Uint8Array(2)))).toThrow(expect.objectContaining({ field }));
  });

  it.each([
    ['more elements than allowed', '(1, 16777216, 4096)'],
    ['a product beyond 2^53', '(9007199254740991, 9007199254740991)'],
    ['a product beyond 2^53 beside a zero', '(0, 9007199254740991, 9007199254740991)'],
    ['too many dimensions', '(1, 1, 1, 1, 1, 1, 1, 1, 1)'],
  ])('refuses a shape of %s', (_, shape) => {
    expect(() => readNpy(npyFile(1, header('<f2', shape), new Uint8Array(2)))).toThrow(
      expect.objectContaining({ field: 'shape' }),
    );
  });

  it('refuses a header of 1 GB at once, and one that is longer than the file', () => {
    const huge = Buffer.from('\x93NUMPY\x02\x00\x00\x00\x00\x40{', 'latin1');
    expect(() => readNpy(huge)).toThrow(/header length: 1073741824 bytes, the limit is/);
    const long = Buffer.from('\x93NUMPY\x01\x00\xff\xff{', 'latin1');
    expect(() => readNpy(long)).toThrow(/65535 bytes, the file has 1 left/);
  });

  it('refuses missing and surplus data', () => {
    for (const size of [3, 5]) {
      expect(() => readNpy(npyFile(1, header('<f2', '(2,)'), new Uint8Array(size)))).toThrow(/2?\]? of f16 takes 4/);
    }
  });

  it('answers any damage with a CodecError or a tensor', () => {
    const file = writeNpy(tensorOf('f16', [2, 3], new Uint8Array(12)));
    fc.assert(
      fc.property(fc.nat({ max: 90 }), fc.nat(255), fc.nat({ max: file.byteLength }), (position, byte, length) => {
        const damaged = Uint8Array.from(file).subarray(0, length);
        damaged[position] = byte;
        try {
          readNpy(damaged);
        } catch (error) {
          if (!(error instanceof CodecError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('writeNpy', () => {
  it('starts the data at a multiple of 64 and writes bf16 as f32 of the same values', () => {
    const file = writeNpy(tensorOf('bf16', [2], Uint8Array.of(0x80, 0x3f, 0x00, 0x80)));
    const { dtype, data } = readNpy(file);
    expect(data.byteOffset % 64).toBe(file.byteOffset % 64);
    expect(dtype).toBe('f32');
    expect([...new Float32Array(Uint8Array.from(data).buffer)]).toEqual([1, -0]);
  });

  it('refuses data that do not fit the shape', () => {
    expect(() => writeNpy(tensorOf('f16', [2], new Uint8Array(3)))).toThrow(CodecError);
  });
});
