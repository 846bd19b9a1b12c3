import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeDomains, resolveAddress } from './address.js';
import { decodePath, encodeListedKey } from './url-encoding.js';

const domains = normalizeDomains(['S3.example.com', 'example.com:9000']);

describe('resolveAddress', () => {
  it.each([
    ['/', 'localhost', '', ''],
    ['/bucket', 'localhost', 'bucket', ''],
    ['/bucket/', 'localhost', 'bucket', ''],
    ['/bucket/a/b', 'localhost:9000', 'bucket', 'a/b'],
    ['/bucket//a', 'localhost', 'bucket', '/a'],
    ['/bucket/../a', 'localhost', 'bucket', '../a'],
    ['/bucket/a%2Fb+c%20d', 'localhost', 'bucket', 'a/b+c d'],
    ['/a/b', 'cats.s3.example.com', 'cats', 'a/b'],
    ['/', 'cats.s3.example.com:443', 'cats', ''],
    ['/a', 'CATS.Example.com.', 'cats', 'a'],
    ['/a/b', 'my.dotted.s3.example.com', 'my.dotted', 'a/b'],
    ['/bucket/a', 'example.com', 'bucket', 'a'],
    ['/bucket/a', 'badexample.com', 'bucket', 'a'],
    ['/bucket/a', undefined, 'bucket', 'a'],
  ])('reads %s at %s', (path, host, bucket, key) => {
    expect(resolveAddress(path, host, domains)).toMatchObject({ bucket, key });
  });

  it('takes a configured domain itself for the service, not for a bucket of a shorter one', () => {
    expect(resolveAddress('/bucket/a', 's3.example.com', domains)).toMatchObject({ bucket: 'bucket', key: 'a' });
  });
});

describe('keys in URLs', () => {
  it('come back as they were, escaped or as raw UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        expect(decodePath(encodeURIComponent(key))).toBe(key);
        expect(decodePath(encodeListedKey(key).replaceAll('+', '%20'))).toBe(key);
      }),
    );
    expect(decodePath(Buffer.from('grün/漢').toString('latin1'))).toBe('grün/漢');
  });

  it('are never decoded twice', () => {
    expect(decodePath('%2541')).toBe('%41');
    expect(decodePath('%C3%83%C2%A9')).toBe('Ã©');
  });

  it.each(['%', '%zz', '%ff', '%c3'])('are InvalidURI where %s is no escape', (path) => {
    expect(() => decodePath(path)).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
  });
});
