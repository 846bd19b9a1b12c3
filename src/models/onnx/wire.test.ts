import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFields, readPackedVarints, readText, WIRE_VARINT, WireWriter } from './wire.js';

const whole = (writer: WireWriter): Uint8Array => new Uint8Array(Buffer.concat(writer.finish()));

describe('the protobuf wire format', () => {
  it('reads back every 64-bit number that it writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (number, value) => {
          const [field, ...rest] = readFields(whole(new WireWriter().varint(number, value)));
          expect(rest).toEqual([]);
          if (field?.wireType !== WIRE_VARINT) throw new Error('no varint');
          expect(field.number).toBe(number);
          expect(BigInt.asIntN(64, field.value)).toBe(value);
        },
      ),
    );
  });

  it('reads back text, payloads and nested messages of any length', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 5000 }), (text, payload) => {
        const writer = new WireWriter().text(1, text).message(2, (child) => child.bytes(3, payload));
        expect(writer.byteLength).toBe(whole(writer).length);
        const [first, second] = readFields(whole(writer));
        if (first?.wireType !== 2 || second?.wireType !== 2) throw new Error('not two payloads');
        expect(readText(first.bytes)).toBe(new TextDecoder().decode(new TextEncoder().encode(text)));
        const [inner] = readFields(second.bytes);
        if (inner?.wireType !== 2) throw new Error('no payload');
        expect(Buffer.compare(inner.bytes, payload)).toBe(0);
      }),
    );
  });

  it('references large payloads instead of copying them', () => {
    const payload = new Uint8Array(1 << 20);
    const pieces = new WireWriter().message(1, (child) => child.bytes(2, payload)).finish();
    expect(pieces.some((piece) => piece.buffer === payload.buffer)).toBe(true);
  });

  it('refuses every truncation and never reads past the end', () => {
    const bytes = whole(new WireWriter().text(1, 'latent').varint(2, 300).float(3, 0.5));
    const boundaries = new Set([0, 8, 11, bytes.length]);
    for (let length = 0; length <= bytes.length; length += 1) {
      const read = (): unknown => [...readFields(bytes.subarray(0, length))];
      if (boundaries.has(length)) expect(read).not.toThrow();
      else expect(read).toThrow(RangeError);
    }
  });

  it('answers arbitrary bytes with fields or a RangeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          for (const field of readFields(bytes)) expect(field.number).toBeGreaterThan(0);
          readPackedVarints(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
