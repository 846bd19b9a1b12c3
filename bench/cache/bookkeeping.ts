/** What the cache costs beside the payloads: time of a request and bytes of an entry, by the number of entries, beside lru-cache. */
import { LRUCache } from 'lru-cache';
import { DualFormatCache } from '../../src/cache/dual-format-cache.js';
import { cachePreset } from '../../src/cache/presets.js';
import type { BenchRow } from '../row.js';

const SIZES = [1e4, 1e5, 1e6];
const REQUESTS = 300_000;
const LATENT_BYTES = 4096;
const RUNS = 3;

interface Store {
  request(object: number): void;
}

/** One payload object for all, so that only bookkeeping differs. */
const PAYLOAD = { payload: 'payload', bytes: LATENT_BYTES };

function ours(entries: number): Store {
  const options = { capacityBytes: entries * LATENT_BYTES, alpha: 'auto', entryOverheadBytes: 0 } as const;
  const cache = new DualFormatCache<string, string>(cachePreset('adaptive', options));
  return {
    request: (object) => {
      const key = keyOf(object);
      const found = cache.lookup(key);
      if (found.tier === 'none') cache.insertLatent(key, PAYLOAD);
      else if (found.tier === 'latent' && found.promote) cache.promote(key, PAYLOAD, PAYLOAD);
    },
  };
}

function peer(entries: number): Store {
  const cache = new LRUCache<string, typeof PAYLOAD>({
    maxSize: entries * LATENT_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  });
  return {
    request: (object) => {
      const key = keyOf(object);
      if (cache.get(key) === undefined) cache.set(key, PAYLOAD);
    },
  };
}

export async function* benchBookkeeping(): AsyncIterable<BenchRow> {
  for (const entries of SIZES) {
    const stores = { ours: ours(entries), peer: peer(entries) };
    // Fills both, and lets half of the requests miss later on.
    for (const store of Object.values(stores)) for (let i = 0; i < 2 * entries; i += 1) store.request(i);
    const least = { ours: Infinity, peer: Infinity };
    for (let run = 0; run < RUNS; run += 1) {
      least.ours = Math.min(least.ours, nanoseconds(stores.ours, 2 * entries));
      least.peer = Math.min(least.peer, nanoseconds(stores.peer, 2 * entries));
    }
    yield row(`a request, ${entries.toLocaleString('en')} entries`, 'ns', least.ours, least.peer);
  }
  const entries = 500_000;
  const bytes = { ours: bytesPerEntry(ours, entries), peer: bytesPerEntry(peer, entries) };
  yield row(
    `memory of an entry without its payload, ${entries.toLocaleString('en')} entries`,
    'bytes',
    bytes.ours,
    bytes.peer,
  );
}

function nanoseconds(store: Store, objects: number): number {
  let seed = 1;
  const start = process.hrtime.bigint();
  for (let i = 0; i < REQUESTS; i += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    store.request(seed % objects);
  }
  return Number(process.hrtime.bigint() - start) / REQUESTS;
}

/** Heap and typed arrays, keys included; needs `node --expose-gc` for a steady figure, and takes what it finds without. */
function bytesPerEntry(make: (entries: number) => Store, entries: number): number {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const store = make(entries);
  for (let i = 0; i < entries; i += 1) store.request(i);
  globalThis.gc?.();
  const after = process.memoryUsage();
  store.request(0);
  return (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / entries;
}

/** As long as a bucket and a key commonly are. */
function keyOf(object: number): string {
  return `images/generated/2026/11/${object}.png`;
}

function row(name: string, unit: string, mine: number, theirs: number): BenchRow {
  return { bench: 'cache', case: name, ours: mine, peer: theirs, unit, ratio: theirs / mine, versus: 'lru-cache' };
}
