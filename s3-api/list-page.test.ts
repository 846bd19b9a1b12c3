import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys } from './key-order.js';
import { collectListPage, commonPrefixOf, isAfter, type OpenKeys } from './list-page.js';

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '-', 'é', '\uffee', '😀'), minLength: 1, maxLength: 6 });
const keys = fc
  .uniqueArray(key, { maxLength: 30 })
  .map((list) => list.sort(compareKeys).map((each) => ({ key: each })));

function open(entries: readonly { readonly key: string }[]): OpenKeys<{ readonly key: string }> {
  return (prefix, position) => entries.filter((entry) => entry.key.startsWith(prefix) && isAfter(entry.key, position));
}

describe('compareKeys', () => {
  it('orders as UTF-8 bytes do', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
  });
});

describe('collectListPage', () => {
  it('gives every object and common prefix once, in order, whatever the page size', async () => {
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.string({ unit: fc.constantFrom('a', '/', 'é'), maxLength: 2 }),
        fc.constantFrom(undefined, '/', 'a', '//'),
        fc.integer({ min: 1, max: 5 }),
        async (entries, prefix, delimiter, maxKeys) => {
          const expected = new Set<string>();
          for (const entry of entries)
            if (entry.key.startsWith(prefix)) expected.add(commonPrefixOf(entry.key, prefix, delimiter) ?? entry.key);

          const listed: string[] = [];
          let startAfter: string | undefined;
          for (;;) {
            const page = await collectListPage(open(entries), {
              prefix,
              maxKeys,
              ...(delimiter !== undefined && { delimiter }),
              ...(startAfter !== undefined && { startAfter }),
            });
            const names = [...page.objects.map((object) => object.key), ...page.commonPrefixes].sort(compareKeys);
            expect(names.length).toBeLessThanOrEqual(maxKeys);
            listed.push(...names);
            if (!page.isTruncated) break;
            expect(page.nextStartAfter).toBe(names.at(-1));
            startAfter = page.nextStartAfter;
          }
          expect(listed).toEqual([...expected].sort(compareKeys));
        },
      ),
    );
  });

  it('seeks behind a common prefix instead of walking through it', async () => {
    const entries = Array.from({ length: 10_000 }, (_, index) => ({ key: `deep/${String(index).padStart(5, '0')}` }));
    let seen = 0;
    const page = await collectListPage<{ key: string }>(
      function* (_prefix, position) {
        for (const entry of entries) {
          if (!isAfter(entry.key, position)) continue;
          seen++;
          yield entry;
        }
      },
      { delimiter: '/', maxKeys: 10 },
    );
    expect(page).toEqual({ objects: [], commonPrefixes: ['deep/'], isTruncated: false });
    expect(seen).toBe(1);
  });

  it('is not truncated by a page that ends with the last entry', async () => {
    const page = await collectListPage(open([{ key: 'a' }, { key: 'b' }]), { maxKeys: 2 });
    expect(page.isTruncated).toBe(false);
    expect(page.nextStartAfter).toBeUndefined();
  });

  it('skips the common prefix that a marker lies in', async () => {
    const page = await collectListPage(open([{ key: 'a/1' }, { key: 'a/2' }, { key: 'b' }]), {
      delimiter: '/',
      startAfter: 'a/1',
      maxKeys: 10,
    });
    expect(page).toMatchObject({ objects: [{ key: 'b' }], commonPrefixes: [] });
  });
});
