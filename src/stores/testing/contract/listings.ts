/** Contract: listings in UTF-8 byte order, with prefix, delimiter, marker and pages. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ListOptions } from '../../../../s3-api/object-store.js';
import { connected, keysOf, md5, put, type ContractContext } from './context.js';

const KEYS = [
  'a.txt',
  'a!',
  'b/1',
  'b/2',
  'b/c/1',
  'b0',
  'd-e/x',
  'd/x',
  'd0/x',
  'é',
  'z',
  '\uffee-before',
  '😀-after',
  'B',
] as const;
const sorted = [...KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

export function describeListings({ store, makeBucket }: ContractContext): void {
  describe('listings', () => {
    let bucket: string;
    beforeAll(async () => {
      bucket = await makeBucket();
      for (const key of KEYS) await put(store(), bucket, key, key);
    });

    const page = async (options: Partial<ListOptions>) => {
      const listing = await store().listObjects(bucket, { maxKeys: 1000, ...options }, connected);
      return { ...listing, keys: listing.objects.map(({ key }) => key) };
    };

    it('are in the order of UTF-8 bytes, not of UTF-16 units', async () => {
      expect(await keysOf(store(), bucket)).toEqual(sorted);
      expect(sorted.indexOf('\uffee-before')).toBeLessThan(sorted.indexOf('😀-after'));
    });

    it('tell size, ETag and time', async () => {
      const { objects } = await page({ prefix: 'a.txt' });
      expect(objects).toHaveLength(1);
      expect(objects[0]).toMatchObject({ key: 'a.txt', size: 5, etag: md5('a.txt') });
      const { info } = await store().headObject(bucket, 'a.txt', {}, connected);
      const difference = info.lastModified.getTime() - (objects[0]?.lastModified.getTime() ?? 0);
      expect(Math.abs(difference)).toBeLessThan(1000);
    });

    it('keep to a prefix', async () => {
      expect((await page({ prefix: 'b' })).keys).toEqual(['b/1', 'b/2', 'b/c/1', 'b0']);
      expect((await page({ prefix: 'b/' })).keys).toEqual(['b/1', 'b/2', 'b/c/1']);
      expect((await page({ prefix: 'none' })).keys).toEqual([]);
    });

    it('roll up what lies behind a delimiter', async () => {
      const { keys, commonPrefixes, isTruncated } = await page({ delimiter: '/' });
      expect(commonPrefixes).toEqual(['b/', 'd-e/', 'd/', 'd0/']);
      expect(keys).toEqual(sorted.filter((key) => !key.includes('/')));
      expect(isTruncated).toBe(false);
      const inside = await page({ prefix: 'b/', delimiter: '/' });
      expect(inside.keys).toEqual(['b/1', 'b/2']);
      expect(inside.commonPrefixes).toEqual(['b/c/']);
    });

    it.each([1, 2, 3, 5, 1000])('of %d at a time add up to the whole, each entry once', async (maxKeys) => {
      for (const options of [{}, { delimiter: '/' }, { prefix: 'b' }, { prefix: 'd', delimiter: '/' }]) {
        const whole = await page(options);
        const keys: string[] = [];
        const prefixes: string[] = [];
        let startAfter: string | undefined;
        for (;;) {
          const part = await page({ ...options, maxKeys, ...(startAfter !== undefined && { startAfter }) });
          expect(part.keys.length + part.commonPrefixes.length).toBeLessThanOrEqual(maxKeys);
          keys.push(...part.keys);
          prefixes.push(...part.commonPrefixes);
          if (!part.isTruncated) break;
          expect(part.nextStartAfter).toBeDefined();
          startAfter = part.nextStartAfter;
        }
        expect(keys).toEqual(whole.keys);
        expect(prefixes).toEqual(whole.commonPrefixes);
      }
    });

    it('start strictly after a key, whether it is there or not', async () => {
      expect((await page({ startAfter: 'b/1' })).keys[0]).toBe('b/2');
      expect((await page({ startAfter: 'b/10' })).keys[0]).toBe('b/2');
      expect((await page({ startAfter: 'z', prefix: 'b' })).keys).toEqual([]);
    });

    it('of nothing are empty', async () => {
      expect(await page({ maxKeys: 0 })).toMatchObject({ keys: [], commonPrefixes: [], isTruncated: false });
      const empty = await makeBucket();
      expect(await keysOf(store(), empty)).toEqual([]);
    });

    it('are cut after maxKeys without a mark when nothing follows', async () => {
      expect((await page({ maxKeys: KEYS.length })).isTruncated).toBe(false);
      expect((await page({ maxKeys: KEYS.length - 1 })).isTruncated).toBe(true);
    });
  });
}
