import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DualFormatCache, type Lookup } from './dual-format-cache.js';
import { cachePreset, type CachePolicy, type PresetOptions } from './presets.js';

const KIB = 1024;
const OVERHEAD = 400;

function cacheOf(
  capacityBytes: number,
  alpha: number | 'auto',
  promotionHits: number,
  policy: CachePolicy = 'published',
  more: Partial<PresetOptions> = {},
) {
  return new DualFormatCache<string, string>(
    cachePreset(policy, { capacityBytes, alpha, promotionHits, entryOverheadBytes: OVERHEAD, ...more }),
  );
}

const latent = (key: string, bytes = KIB) => ({ payload: `latent ${key}`, bytes });
const image = (key: string, bytes = 4 * KIB) => ({ payload: `image ${key}`, bytes });

describe('DualFormatCache', () => {
  it('asks for promotion from the h-th latent hit on and moves the object in one step', () => {
    const cache = cacheOf(100 * KIB, 0.5, 2);
    expect(cache.lookup('a')).toEqual({ tier: 'none', admitTo: 'latent' });
    cache.insertLatent('a', latent('a'));
    expect(cache.lookup('a')).toEqual({ tier: 'latent', payload: 'latent a', promote: false });
    expect(cache.lookup('a')).toEqual({ tier: 'latent', payload: 'latent a', promote: true });
    cache.promote('a', image('a'), latent('a'));
    expect(cache.lookup('a')).toEqual({ tier: 'image', payload: 'image a' });
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
    for (const policy of ['published', 'adaptive'] as const) {
      const cache = cacheOf(10 * KIB, 0.5, 1, policy);
      cache.insertLatent('a', latent('a'));
      cache.promote('a', image('a', 6 * KIB), latent('a'));
      expect(cache.lookup('a')).toMatchObject({ tier: 'latent', payload: 'latent a' });
      cache.promote('b', image('b', 6 * KIB), latent('b'));
      expect(cache.peek('b')).toBeUndefined();
    }
  });

  it('keeps nothing of a budget of zero, and only one format at alpha 0 and 1', () => {
    for (const [capacity, alpha, tier] of [
      [0, 0.5, 'none'],
      [0, 'auto', 'none'],
      [100 * KIB, 0, 'latent'],
      [100 * KIB, 1, 'image'],
    ] as const) {
      const cache = cacheOf(capacity, alpha, 1, 'adaptive', { window: 1 });
      cache.insertLatent('a', latent('a'));
      cache.promote('a', image('a', KIB), latent('a'));
      expect(cache.lookup('a').tier).toBe(tier);
    }
  });

  it('sends what it does not hold to the image tier where there is no other', () => {
    expect(cacheOf(100 * KIB, 1, 1).lookup('a')).toEqual({ tier: 'none', admitTo: 'image' });
  });

  it('counts the bookkeeping in the budget', () => {
    const cache = cacheOf(10 * (100 + OVERHEAD), 0, 2);
    for (let i = 0; i < 11; i += 1) cache.insertLatent(`k${i}`, { payload: '', bytes: 100 });
    expect(cache.statistics()).toMatchObject({ latentEntries: 10, latentEvictions: 1 });
    expect(cache.lookup('k0')).toMatchObject({ tier: 'none' });
  });

  it('counts hits in the tail, which a tier smaller by the tail would have missed', () => {
    const cache = cacheOf(10 * (100 + OVERHEAD), 0, 2, 'published', { tail: 0.2 });
    for (let i = 0; i < 10; i += 1) cache.insertLatent(`k${i}`, { payload: '', bytes: 100 });
    cache.lookup('k5');
    expect(cache.statistics().latentTailHits).toBe(0);
    // k0, k1 are the last two of ten now.
    cache.lookup('k0');
    cache.lookup('k1');
    expect(cache.statistics().latentTailHits).toBe(2);
    cache.lookup('k0');
    expect(cache.statistics()).toMatchObject({ latentTailHits: 2, latentHits: 4 });
  });

  it('refuses options out of their bounds', () => {
    expect(() => cacheOf(-1, 0.5, 1)).toThrow(RangeError);
    expect(() => cacheOf(1, 1.1, 1)).toThrow(RangeError);
    expect(() => cacheOf(1, 0.5, 0)).toThrow(RangeError);
    expect(() => cacheOf(1, 0.5, 1, 'published', { tail: 0.6 })).toThrow(RangeError);
  });
});

describe('demotion', () => {
  /** Room for two images and their latents, and as much for latents. */
  const small = () => cacheOf(2 * 2 * (5 * KIB + OVERHEAD), 0.5, 1, 'adaptive');

  it('puts an evicted image that was never hit back into the latent tier, with the latent that it carried', () => {
    const cache = small();
    const wanted: string[] = [];
    cache.onLatentWanted((key) => wanted.push(key));
    for (const key of ['a', 'b', 'c']) cache.promote(key, image(key), latent(key));
    expect(cache.lookup('a')).toMatchObject({ tier: 'latent', payload: 'latent a', promote: true });
    expect(cache.statistics()).toMatchObject({ imageEntries: 2, latentEntries: 1, demotions: 1 });
    expect(wanted).toEqual([]);
  });

  it('gives the bytes of the latent back at the first hit and asks for it when the image goes', () => {
    const cache = small();
    const wanted: [string, string][] = [];
    cache.onLatentWanted((key, payload) => wanted.push([key, payload]));
    cache.promote('a', image('a'), latent('a'));
    const before = cache.statistics().imageBytes;
    cache.lookup('a');
    expect(cache.statistics().imageBytes).toBe(before - KIB);
    for (const key of ['b', 'c', 'd']) {
      cache.promote(key, image(key), latent(key));
      cache.lookup(key);
    }
    expect(wanted).toContainEqual(['a', 'image a']);
    expect(cache.peek('a')).toBeUndefined();
    cache.insertLatent('a', latent('a'));
    expect(cache.lookup('a')).toMatchObject({ tier: 'latent' });
  });

  it('does nothing with the published policy', () => {
    const cache = cacheOf(2 * 2 * (5 * KIB + OVERHEAD), 0.5, 1, 'published');
    for (const key of ['a', 'b', 'c']) cache.promote(key, image(key), latent(key));
    expect(cache.lookup('a')).toMatchObject({ tier: 'none' });
    expect(cache.statistics()).toMatchObject({ demotions: 0, imageEvictions: 1 });
  });
});

describe('the border', () => {
  it.each(['published', 'adaptive'] as const)('moves towards the tier whose bytes save more (%s)', (policy) => {
    const alphaFor = (decodeMs: number, fetchMs: number): number => {
      const cache = cacheOf(40 * (4 * KIB + OVERHEAD), 'auto', 1, policy, { window: 200 });
      for (let i = 0; i < 1000; i += 1) {
        cache.observeDecode(decodeMs);
        cache.observeFetch(fetchMs);
      }
      let seed = 1;
      for (let i = 0; i < 20_000; i += 1) request(cache, `k${(seed = (seed * 48_271) % 2_147_483_647) % 200}`);
      expect(cache.statistics().windows).toBe(100);
      return cache.statistics().alpha;
    };
    expect(alphaFor(1000, 1)).toBeGreaterThan(0.6);
    expect(alphaFor(1, 1000)).toBeLessThan(0.4);
  });

  it('gives the losing tier up in small pieces, and never holds more than the budget meanwhile', () => {
    const capacity = 1000 * (100 + OVERHEAD);
    const cache = cacheOf(capacity, 'auto', 1, 'published', { window: 1000, step: 0.4 });
    for (let i = 0; i < 999; i += 1) cache.insertLatent(`k${i}`, { payload: '', bytes: 100 });
    expect(cache.statistics().latentEntries).toBe(500);
    // A tail hit among images, none among latents: the border moves by 0.4 at the thousandth request.
    for (let i = 0; i < 500; i += 1) cache.promote(`i${i}`, { payload: '', bytes: 100 });
    for (let i = 0; i < 1000; i += 1) cache.lookup(`i${i % 500}`);
    let entries = cache.statistics().latentEntries;
    expect(cache.statistics().alpha).toBeCloseTo(0.9);
    let operations = 0;
    while (cache.statistics().latentBytes > 0.1 * capacity + 1) {
      cache.lookup('absent');
      operations += 1;
      const left = cache.statistics().latentEntries;
      expect(entries - left).toBeLessThanOrEqual(16);
      entries = left;
    }
    expect(operations).toBeLessThan(100);
    expect(cache.peek('k999')).toBeUndefined();
  });
});

const POLICIES = ['published', 'adaptive'] as const;

/** As the gateway does it: a miss is fetched, a hit that asks for it is promoted. */
function request(cache: DualFormatCache<string, string>, key: string): Lookup<string, string> {
  const found = cache.lookup(key);
  if (found.tier === 'none') cache.insertLatent(key, latent(key));
  else if (found.tier === 'latent' && found.promote) cache.promote(key, image(key), latent(key));
  return found;
}

describe('whatever happens', () => {
  const operation = fc.record({
    kind: fc.constantFrom('lookup', 'latent', 'image', 'bare image', 'delete', 'decode', 'fetch'),
    key: fc.integer({ min: 0, max: 20 }).map(String),
    bytes: fc.integer({ min: 0, max: 8 * KIB }),
  });
  const operations = fc.array(operation, { maxLength: 300 });
  const options = fc.record({
    policy: fc.constantFrom(...POLICIES),
    alpha: fc.oneof(fc.constant('auto' as const), fc.double({ min: 0, max: 1, noNaN: true })),
    promotionHits: fc.integer({ min: 1, max: 4 }),
    window: fc.constantFrom(1, 7, 'auto' as const),
    tail: fc.constantFrom(0.05, 0.1, 0.5),
    step: fc.constantFrom(0.01, 0.3),
  });
  const CAPACITY = 20 * KIB;

  it('the budget holds, an object is in one tier, payloads are those that were given, and the counters agree', () => {
    fc.assert(
      fc.property(operations, options, (list, { policy, alpha, promotionHits, ...more }) => {
        const cache = cacheOf(CAPACITY, alpha, promotionHits, policy, more);
        const given = new Map<string, { image?: string; latent?: string; imageBytes: number; latentBytes: number }>();
        const lookups = { image: 0, latent: 0, none: 0 };
        const onWanted = (key: string, payload: string) => {
          expect(payload).toBe(given.get(key)?.image);
          expect(cache.peek(key)).not.toBe(payload);
        };
        cache.onLatentWanted(onWanted);
        let version = 0;
        for (const { kind, key, bytes } of list) {
          version += 1;
          const last = given.get(key) ?? { imageBytes: 0, latentBytes: 0 };
          const payload = { image: `image ${version}`, latent: `latent ${version}` };
          if (kind === 'lookup') {
            const found = cache.lookup(key);
            lookups[found.tier] += 1;
            if (found.tier !== 'none') expect(found.payload).toBe(last[found.tier]);
          } else if (kind === 'latent') {
            given.set(key, { ...last, latent: payload.latent, latentBytes: bytes });
            cache.insertLatent(key, { payload: payload.latent, bytes });
          } else if (kind === 'image' || kind === 'bare image') {
            const fits = bytes + OVERHEAD <= CAPACITY;
            const own = kind === 'image' ? { payload: payload.latent, bytes: bytes >> 2 } : undefined;
            cache.promote(key, { payload: payload.image, bytes }, own);
            // What did not fit leaves the old entry in place.
            const held = cache.peek(key);
            if (fits && (held === payload.image || held === payload.latent || held === undefined))
              given.set(key, { ...last, ...payload, imageBytes: bytes, latentBytes: bytes >> 2 });
          } else if (kind === 'delete') {
            cache.delete(key);
            given.delete(key);
            expect(cache.peek(key)).toBeUndefined();
          } else if (kind === 'decode') cache.observeDecode(bytes);
          else cache.observeFetch(bytes);
          checkSums(cache, given);
        }
        const { imageHits, latentHits, misses } = cache.statistics();
        expect({ image: imageHits, latent: latentHits, none: misses }).toEqual(lookups);
      }),
      { numRuns: 150 },
    );
  });

  function checkSums(
    cache: DualFormatCache<string, string>,
    given: ReadonlyMap<string, { image?: string; latent?: string; imageBytes: number; latentBytes: number }>,
  ) {
    const statistics = cache.statistics();
    let images = 0;
    let latents = 0;
    let leastImageBytes = 0;
    let latentBytes = 0;
    for (const [key, known] of given) {
      const held = cache.peek(key);
      if (held === undefined) continue;
      expect([known.image, known.latent]).toContain(held);
      if (held === known.image) {
        images += 1;
        leastImageBytes += known.imageBytes + OVERHEAD;
      } else {
        latents += 1;
        latentBytes += known.latentBytes + OVERHEAD;
      }
    }
    expect(statistics.imageEntries).toBe(images);
    expect(statistics.latentEntries).toBe(latents);
    expect(statistics.latentBytes).toBe(latentBytes);
    expect(statistics.imageBytes).toBeGreaterThanOrEqual(leastImageBytes);
    expect(statistics.imageBytes + statistics.latentBytes).toBeLessThanOrEqual(CAPACITY);
    expect(statistics.alpha).toBeGreaterThanOrEqual(0);
    expect(statistics.alpha).toBeLessThanOrEqual(1);
  }

  it('a fixed border is never crossed', () => {
    fc.assert(
      fc.property(
        operations,
        fc.constantFrom(...POLICIES),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, policy, alpha) => {
          const cache = cacheOf(CAPACITY, alpha, 1, policy);
          for (const { kind, key, bytes } of list) {
            if (kind === 'latent') cache.insertLatent(key, latent(key, bytes));
            else if (kind === 'image') cache.promote(key, image(key, bytes), latent(key, bytes >> 2));
            else if (kind === 'delete') cache.delete(key);
            else cache.lookup(key);
            const { imageBytes, latentBytes } = cache.statistics();
            expect(imageBytes).toBeLessThanOrEqual(Math.floor(CAPACITY * alpha));
            expect(latentBytes).toBeLessThanOrEqual(CAPACITY - Math.floor(CAPACITY * alpha));
          }
        },
      ),
    );
  });

  it('a request finds what the last one of the same key left, unless it was evicted', () => {
    const cache = cacheOf(1000 * (4 * KIB + OVERHEAD), 'auto', 1, 'adaptive', { window: 100 });
    const tiers = [0, 1, 2].map(() => request(cache, 'a').tier);
    expect(tiers).toEqual(['none', 'latent', 'image']);
  });
});
