import { describe, expect, it } from 'vitest';
import { formatLocation, mapKey, parseLocation } from './location.js';

describe('a location', () => {
  it.each([
    ['images', { bucket: 'images', prefix: '' }],
    ['images/', { bucket: 'images', prefix: '' }],
    ['images/a/b', { bucket: 'images', prefix: 'a/b' }],
    ['s3://images/a/', { bucket: 'images', prefix: 'a/' }],
  ])('reads %s', (text, location) => {
    expect(parseLocation(text)).toEqual(location);
  });

  it.each(['', '/', 's3://', '/a'])('refuses %j, which names no bucket', (text) => {
    expect(() => parseLocation(text)).toThrow('names no bucket');
  });

  it('exchanges the prefix of a key and keeps the rest', () => {
    const from = parseLocation('images/a/');
    expect(mapKey('a/b/c.png', from, parseLocation('other/x-'))).toBe('x-b/c.png');
    expect(formatLocation(from)).toBe('images/a/');
    expect(formatLocation(parseLocation('images'))).toBe('images');
  });
});
