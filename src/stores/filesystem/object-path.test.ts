import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apartPath, keyOfPath, plainPath } from './object-path.js';

const awkward = fc.constantFrom(
  '.',
  '..',
  '/',
  '%',
  '%2E',
  '%d',
  '%f',
  '%-',
  'a',
  'é',
  '😀',
  '\0',
  '\x7f',
  '\\',
  ' ',
  '+',
);
const key = fc
  .oneof(
    fc.array(awkward, { minLength: 1, maxLength: 40 }).map((parts) => parts.join('')),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
    fc.tuple(awkward, fc.integer({ min: 100, max: 1000 })).map(([part, count]) => part.repeat(count)),
  )
  .filter((text) => Buffer.byteLength(text) <= 1024);

describe('object paths', () => {
  it('look like the key for ordinary keys', () => {
    expect(plainPath('a/b c+d/é😀.png')).toBe('a/b c+d/é😀.png');
  });

  it('escape what would leave the folder or has no name', () => {
    expect(plainPath('../.././//x\n%')).toBe('%2E%2E/%2E%2E/%2E/%/%/x%0A%25');
    expect(plainPath('/')).toBe('%/%');
    expect(plainPath('.latentbox')).toBe('.latentbox');
  });

  it('can be turned back, in both forms, unless they are too long for the system', () => {
    fc.assert(
      fc.property(key, (text) => {
        for (const path of [plainPath(text), apartPath(text)]) {
          if (path.startsWith('%long/')) expect(text.length).toBeGreaterThan(500);
          else expect(keyOfPath(path)).toBe(text);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are made of names that a file system takes and never climb', () => {
    fc.assert(
      fc.property(key, (text) => {
        for (const path of [plainPath(text), apartPath(text)]) {
          expect(Buffer.byteLength(path)).toBeLessThanOrEqual(3000);
          for (const name of path.split('/')) {
            expect(['', '.', '..']).not.toContain(name);
            expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
            expect(name).not.toContain('\0');
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([481, 482])('do not climb where %i dots are cut so that one or two are left', (dots) => {
    const key = `${'.'.repeat(dots)}/x`;
    expect(plainPath(key).split('/')).not.toContain('.'.repeat(dots - 480));
    expect(keyOfPath(plainPath(key))).toBe(key);
  });

  it('keep files and folders of the apart form from ever meeting', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const inside = `${one}/${other}`;
        if (Buffer.byteLength(inside) > 1024) return;
        const outer = apartPath(one);
        const inner = apartPath(inside);
        expect(inner.startsWith(`${outer}/`)).toBe(false);
        expect(plainPath(inside).startsWith(`${outer}/`)).toBe(false);
      }),
    );
  });

  it('say so of names that no key produces', () => {
    for (const path of ['%zz', 'a%', '%long/abc']) expect(keyOfPath(path)).toBeUndefined();
  });
});
