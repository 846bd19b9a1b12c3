import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHeaders, canonicalQuery, canonicalUris } from './canonical.js';

describe('canonicalUris', () => {
  it.each([
    ['/', ['/']],
    ['//a//b/', ['//a//b/']],
    ['/a/../b/./c', ['/a/../b/./c']],
    ['/a+b', ['/a%2Bb']],
    ['/a%2bb', ['/a%2Bb']],
    ['/%7Ea', ['/~a']],
    ["/a(b)!*'", ['/a%28b%29%21%2A%27']],
    ['/a%2Fb', ['/a/b', '/a%2Fb']],
    ['/%zz%2', ['/%25zz%252']],
    ['/caf\u00c3\u00a9', ['/caf%C3%A9']],
  ])('of %s', (path, expected) => {
    expect(canonicalUris(path)).toEqual(expected);
  });

  it('is the same for a key however it was escaped', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '/', '+', ' ', '%', '~', '(', '\u00e9', '\u6f22', '\u{1f600}') }),
        (key) => {
          const everything = [...Buffer.from(key)].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('');
          const usual = encodeURIComponent(key).replaceAll('%2F', '/');
          expect(canonicalUris(`/${everything}`)[0]).toBe(canonicalUris(`/${usual}`)[0]);
        },
      ),
    );
  });
});

describe('canonicalQuery', () => {
  it('spells every octet in one way, escaped or not', () => {
    for (let octet = 0; octet < 256; octet++) {
      const hex = octet.toString(16).padStart(2, '0');
      const char = String.fromCharCode(octet);
      const spelling = /[A-Za-z0-9\-._~]/.test(char) ? char : `%${hex.toUpperCase()}`;
      expect(canonicalQuery(`a=%${hex}`)).toBe(`a=${spelling}`);
      expect(canonicalQuery(`a=%${hex.toUpperCase()}`)).toBe(`a=${spelling}`);
      if (octet !== 0x2f) expect(canonicalUris(`/%${hex.toUpperCase()}`)).toEqual([`/${spelling}`]);
      if (!'%&+='.includes(char)) expect(canonicalQuery(`a=${char}`)).toBe(`a=${spelling}`);
    }
  });

  it.each([
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=1', 'a=1&a=2'],
    ['lifecycle', 'lifecycle='],
    ['prefix=a/b&delimiter=/', 'delimiter=%2F&prefix=a%2Fb'],
    ['prefix=a+b', 'prefix=a%20b'],
    ['prefix=a%2bb', 'prefix=a%2Bb'],
    ['a=b=c', 'a=b%3Dc'],
    ['&a=1&&', 'a=1'],
    ['aB=1&a%2Db=2&A=3', 'A=3&a-b=2&aB=1'],
  ])('of %s', (query, expected) => {
    expect(canonicalQuery(query)).toBe(expected);
  });

  it('leaves the signature out', () => {
    expect(canonicalQuery('X-Amz-Signature=x&a=1', 'X-Amz-Signature')).toBe('a=1');
  });
});

describe('canonicalHeaders', () => {
  it('trims, collapses spaces, joins duplicates in order, and puts another host in', () => {
    const headers = [
      ['x-amz-meta-a', '  one   two '],
      ['host', 'inside'],
      ['x-amz-meta-a', 'three'],
    ] as const;
    expect(canonicalHeaders({ headers }, ['host', 'x-amz-meta-a', 'absent'], 'outside')).toBe(
      'host:outside\nx-amz-meta-a:one two,three\nabsent:\n',
    );
  });
});
