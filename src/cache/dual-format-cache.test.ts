import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DualFormatCache, ENTRY_OVERHEAD_BYTES } from './dual-format-cache.js';

const KIB = 1024;

function cacheOf(capacityBytes: number, alpha = 0.5, promotionHits = 2) {
  return new DualFormatCache<string, string>({ capacityBytes, alpha, promotionHits });
}

describe('DualFormatCache', () => {
  it('asks for promotion from the h-th latent hit on and moves the object in one step', () => {
    const cache = cacheOf(100 * KIB, 0.5, 2);
    expect(cache.lookup('a')).toEqual({ tier: 'none' });
    cache.insertLatent('a', { payload: 'latent', bytes: KIB });
    expect(cache.lookup('a')).toEqual({ tier: 'latent', payload: 'latent', promote: false });
    expect(cache.lookup('a')).toEqual({ tier: 'latent', payload: 'latent', promote: true });
    cache.promote('a', { payload: 'png', bytes: 4 * KIB });
    expect(cache.lookup('a')).toEqual({ tier: 'image', payload: 'png' });
    expect(cache.statistics()).toMatchObject({
      imageEntries: 1,
      latentEntries: 0,
      latentBytes: 0,
      imageHits: 1,
      latentHits: 2,
      misses: 1,
      promotions: 1,
    });
  });

  it('leaves an object in the latent tier when its image can never fit', () => {
    const cache = cacheOf(10 * KIB, 0.5, 1);
    cache.insertLatent('a', { payload: 'latent', bytes: KIB });
    cache.promote('a', { payload: 'png', bytes: 6 * KIB });
    expect(cache.lookup('a')).toMatchObject({ tier: 'latent' });
  });

  it('keeps nothing of a budget of zero, and only one format at alpha 0 and 1', () => {
    for (const [capacity, alpha, tier] of [
      [0, 0.5, 'none'],
      [100 * KIB, 0, 'latent'],
      [100 * KIB, 1, 'image'],
    ] as const) {
      const cache = cacheOf(capacity, alpha, 1);
      cache.insertLatent('a', { payload: 'latent', bytes: KIB });
      cache.promote('a', { payload: 'png', bytes: KIB });
      expect(cache.lookup('a').tier).toBe(tier);
    }
  });

  it('counts the bookkeeping in the budget', () => {
    const cache = cacheOf(10 * (100 + ENTRY_OVERHEAD_BYTES), 0);
    for (let i = 0; i < 11; i += 1) cache.insertLatent(`k${i}`, { payload: '', bytes: 100 });
    expect(cache.statistics()).toMatchObject({ latentEntries: 10, latentEvictions: 1 });
    expect(cache.lookup('k0')).toEqual({ tier: 'none' });
  });

  it('refuses options out of their bounds', () => {
    expect(() => cacheOf(-1)).toThrow(RangeError);
    expect(() => cacheOf(1, 1.1)).toThrow(RangeError);
    expect(() => cacheOf(1, 0.5, 0)).toThrow(RangeError);
  });

  it('never exceeds its capacity and never holds an object twice, whatever happens', () => {
    const operation = fc.record({
      kind: fc.constantFrom('lookup', 'latent', 'image', 'delete'),
      key: fc.integer({ min: 0, max: 20 }).map(String),
      bytes: fc.integer({ min: 0, max: 8 * KIB }),
    });
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 4 }),
        (operations, alpha, h) => {
          const cache = cacheOf(20 * KIB, alpha, h);
          const keys = new Set<string>();
          for (const { kind, key, bytes } of operations) {
            keys.add(key);
            if (kind === 'lookup') cache.lookup(key);
            else if (kind === 'latent') cache.insertLatent(key, { payload: `l${key}`, bytes });
            else if (kind === 'image') cache.promote(key, { payload: `i${key}`, bytes });
            else cache.delete(key);
            const { imageBytes, latentBytes, imageEntries, latentEntries } = cache.statistics();
            expect(imageBytes).toBeLessThanOrEqual(Math.floor(20 * KIB * alpha));
            expect(imageBytes + latentBytes).toBeLessThanOrEqual(20 * KIB);
            expect(imageEntries + latentEntries).toBeLessThanOrEqual(keys.size);
          }
        },
      ),
    );
  });
});
