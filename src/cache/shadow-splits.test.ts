import { describe, expect, it } from 'vitest';
import { hashNumber } from './key-hash.js';
import { cachePreset } from './presets.js';
import { ShadowSplits, SPLITS } from './shadow-splits.js';
import { ACCESS, TierPair } from './tier-pair.js';

const LATENT = 300;
const IMAGE = 1500;

/** Numbers with the popularity of rank^-0.9, seeded. */
function* requests(count: number, objects: number): Generator<number> {
  let seed = 42;
  for (let i = 0; i < count; i += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    yield Math.floor(objects ** ((seed / 2_147_483_647) ** 0.6)) - 1;
  }
}

const options = (capacityBytes: number, alpha: number) =>
  cachePreset('adaptive', { capacityBytes, alpha, promotionHits: 1, entryOverheadBytes: 0 });

/** Decodes and misses of a cache with a fixed border. */
function fixed(capacityBytes: number, alpha: number, trace: readonly number[]) {
  const wanted: number[] = [];
  const tiers = new TierPair(options(capacityBytes, alpha), {
    demoted: () => undefined,
    latentDropped: () => undefined,
    evicted: () => undefined,
    latentWanted: (slot) => void wanted.push(slot),
  });
  tiers.reserve(100_000);
  for (const object of trace) {
    const access = tiers.access(object);
    if (access === ACCESS.miss) tiers.insertLatent(object, LATENT);
    else if (access === ACCESS.latentPromote) tiers.insertImage(object, IMAGE, LATENT);
    for (let slot = wanted.pop(); slot !== undefined; slot = wanted.pop()) tiers.insertLatent(slot, LATENT);
  }
  const { latentHits, misses } = tiers.counters;
  return { decodes: latentHits + misses, misses };
}

function shadowed(capacityBytes: number, trace: readonly number[]) {
  const shadows = new ShadowSplits(options(capacityBytes, 0.5));
  for (const object of trace) {
    const hash = hashNumber(object);
    shadows.access(hash);
    // As a cache that promotes everything would tell it.
    shadows.admit(hash, IMAGE, LATENT);
  }
  return shadows;
}

describe('ShadowSplits', () => {
  it('follows a small cache exactly, at every border', () => {
    const trace = [...requests(20_000, 2000)];
    const capacity = 100 * (IMAGE + LATENT);
    const shadows = shadowed(capacity, trace);
    expect(shadows.sampleShare).toBe(1);
    const { requests: seen, splits } = shadows.take();
    expect(seen).toBe(trace.length);
    // Requests for what no shadow holds are left out of all of them alike.
    const left = splits.map(({ alpha, misses }) => fixed(capacity, alpha, trace).misses - misses);
    expect(new Set(left).size).toBe(1);
    for (const { alpha, decodes, misses } of splits) {
      const whole = fixed(capacity, alpha, trace);
      expect(whole.decodes - decodes).toBe(whole.misses - misses);
    }
  });

  it('follows a large cache by a sample, with few entries and the same order of the borders', () => {
    const trace = [...requests(120_000, 30_000)];
    const capacity = 2500 * (IMAGE + LATENT);
    const shadows = shadowed(capacity, trace);
    expect(shadows.sampleShare).toBeLessThanOrEqual(1 / 2);
    expect(shadows.entries).toBeLessThan(SPLITS.length * 1200);
    const { requests: seen, splits } = shadows.take();
    const cost = (counts: { decodes: number; misses: number }) => 40 * counts.decodes + 100 * counts.misses;
    const costs = splits.map((counts) => cost(counts) / seen);
    const real = splits.map(({ alpha }) => cost(fixed(capacity, alpha, trace)) / trace.length);
    // What the sample takes for the best border costs hardly more than the really best one.
    const chosen = real[costs.indexOf(Math.min(...costs))] ?? Infinity;
    expect(chosen / Math.min(...real)).toBeLessThan(1.05);
  });

  it('counts from the last reading, and forgets what was removed', () => {
    const shadows = shadowed(100 * (IMAGE + LATENT), [1, 2, 1, 2]);
    shadows.take();
    shadows.access(hashNumber(1));
    expect(shadows.take()).toMatchObject({ requests: 1, splits: SPLITS.map(() => ({ decodes: 0, misses: 0 })) });
    shadows.remove(hashNumber(1));
    shadows.remove(hashNumber(2));
    expect(shadows.entries).toBe(0);
  });
});
