import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRange, parseRange, resolveByteRange } from './byte-range.js';

describe('byte ranges', () => {
  it('cut an array as they say', () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, index) => index);
    fc.assert(
      fc.property(fc.nat(25), fc.option(fc.nat(25), { nil: undefined }), (first, last) => {
        const range = parseRange(`bytes=${first}-${last ?? ''}`);
        if (last !== undefined && last < first) {
          expect(range).toBeUndefined();
          return;
        }
        if (range === undefined) throw new Error('a valid range was ignored');
        if (first >= bytes.length) {
          expect(() => resolveByteRange(range, bytes.length)).toThrow(
            expect.objectContaining({ code: 'InvalidRange' }),
          );
          return;
        }
        const resolved = resolveByteRange(range, bytes.length);
        expect(bytes.slice(resolved.first, resolved.last + 1)).toEqual(
          bytes.slice(first, last === undefined ? undefined : last + 1),
        );
      }),
    );
  });

  it('count suffixes from the end', () => {
    expect(resolveByteRange({ kind: 'suffix', length: 3 }, 10)).toEqual({ first: 7, last: 9 });
    expect(resolveByteRange({ kind: 'suffix', length: 30 }, 10)).toEqual({ first: 0, last: 9 });
    expect(() => resolveByteRange({ kind: 'suffix', length: 3 }, 0)).toThrow();
  });

  it.each(['bytes=1-2', 'bytes=1-', 'bytes=-5'])('are written as they were read: %s', (text) => {
    const range = parseRange(text);
    expect(range && formatRange(range)).toBe(text);
  });

  it.each(['bytes=-', 'bytes=a-b', 'bytes=1-2,4-5', 'items=1-2', 'bytes 1-2', '', 'bytes=--1'])('ignore %j', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});
