import { beforeAll, describe, expect, it } from 'vitest';
import { DualFormatCache, ENTRY_OVERHEAD_BYTES } from '../../cache/dual-format-cache.js';
import { cachePreset, type CachePolicy } from '../../cache/presets.js';
import { syntheticTrace } from '../trace/open-trace.js';
import { CONFIGURATIONS, simulationsOf, type ConfigurationName } from './configuration.js';
import { LatencyHistogram } from './latency-histogram.js';
import { LatencyModel, PUBLISHED_LATENCIES } from './latency-model.js';
import { replay, type SimulationRow } from './replay.js';
import { formatTable, htmlPage } from './report.js';
import { compareStored } from './simulate.js';
import { storeTrace, type StoredTrace } from './stored-trace.js';

const SHARE = 0.02;
let trace: StoredTrace;

beforeAll(async () => {
  trace = await storeTrace(syntheticTrace({ requests: 20_000, seed: 3 }), () => undefined);
});

function rowsOf(config: ConfigurationName, share = SHARE): SimulationRow[] {
  return simulationsOf(share, trace.workingSetBytes, [config]).map(
    (simulation) => replay(trace, simulation, { latencies: PUBLISHED_LATENCIES, windows: 10 }).row,
  );
}

function rowOf(config: ConfigurationName): SimulationRow {
  const [row] = rowsOf(config);
  if (row === undefined) throw new Error(`no row of ${config}`);
  return row;
}

describe('replay', () => {
  it('counts every request once, and its cost by where it was answered', () => {
    for (const config of CONFIGURATIONS) {
      for (const row of rowsOf(config)) {
        expect(row.imageHit + row.latentHit + row.miss).toBeCloseTo(1, 10);
        const decoded = config === 'generation' || config === 'image-store' ? 0 : row.latentHit + row.miss;
        expect(row.decodes).toBe(Math.round(decoded * trace.objects.length));
        const missMs = { generation: 4309, 'image-store': 100 }[config as string] ?? 140;
        expect(row.meanMs / (row.latentHit * 40 + row.miss * missMs)).toBeCloseTo(1, 1);
        expect([row.p50Ms, row.p95Ms, row.p99Ms]).toEqual([row.p50Ms, row.p95Ms, row.p99Ms].toSorted((a, b) => a - b));
      }
    }
  });

  it('needs no store for generation, and reads PNGs only from an image store', () => {
    expect(rowOf('generation')).toMatchObject({ storeBytes: 0, imageHit: rowOf('image-store').imageHit });
    expect(rowOf('image-store').storeBytes).toBeGreaterThan(4 * rowOf('image-only').storeBytes);
    expect(rowOf('decode-all')).toMatchObject({ miss: 1, decodes: trace.objects.length });
  });

  it('gives the same rows each time', () => {
    expect(rowOf('adaptive')).toEqual(rowOf('adaptive'));
  });

  it('decides as the gateway’s cache does, request by request', () => {
    for (const [config, policy] of [
      ['adaptive', 'adaptive'],
      ['adaptive-published', 'published'],
    ] as const) {
      const { imageHits, latentHits, misses } = throughTheGatewaysCache(policy);
      const requests = trace.objects.length;
      expect(rowOf(config)).toMatchObject({
        imageHit: imageHits / requests,
        latentHit: latentHits / requests,
        miss: misses / requests,
      });
    }
  });

  /** String keys and payloads, and the same latencies. */
  function throughTheGatewaysCache(policy: CachePolicy) {
    const capacityBytes = Math.floor(SHARE * trace.workingSetBytes);
    const cache = new DualFormatCache<string, string>(
      cachePreset(policy, { capacityBytes, alpha: 'auto', entryOverheadBytes: ENTRY_OVERHEAD_BYTES }),
    );
    const latencies = new LatencyModel(PUBLISHED_LATENCIES, trace.objects.length);
    const wanted: string[] = [];
    cache.onLatentWanted((key) => wanted.push(key));
    const latent = (object: number) => ({ payload: `l${object}`, bytes: trace.latentBytes[object] ?? 0 });
    trace.objects.forEach((object, i) => {
      const key = String(object);
      const found = cache.lookup(key);
      if (found.tier === 'none') cache.observeFetch(latencies.fetch(i));
      if (found.tier !== 'image') cache.observeDecode(latencies.decode(i));
      if (found.tier === 'none') cache.insertLatent(key, latent(object));
      else if (found.tier === 'latent' && found.promote)
        cache.promote(key, { payload: `i${object}`, bytes: trace.imageBytes[object] ?? 0 }, latent(object));
      for (let next = wanted.pop(); next !== undefined; next = wanted.pop())
        if (cache.peek(next) === undefined) cache.insertLatent(next, latent(Number(next)));
    });
    return cache.statistics();
  }

  it('beats the better single format and the published scheme on the calibrated trace', () => {
    const adaptive = rowOf('adaptive').meanMs;
    const published = Math.min(rowOf('adaptive-published').meanMs, ...rowsOf('static').map(({ meanMs }) => meanMs));
    expect(adaptive).toBeLessThan(0.95 * Math.min(rowOf('image-only').meanMs, rowOf('latent-only').meanMs));
    expect(adaptive).toBeLessThan(published);
  });

  it('meets the weather of the phase that a request falls into', () => {
    const model = new LatencyModel({ ...PUBLISHED_LATENCIES, phases: [{ from: 0.5, decode: 2, fetch: 5 }] }, 100);
    model.at(49);
    const before = [model.decode(7), model.fetch(7)] as const;
    model.at(50);
    expect(model.decode(7) / before[0]).toBeCloseTo(2);
    expect(model.fetch(7) / before[1]).toBeCloseTo(5);
  });
});

describe('a comparison', () => {
  it('runs on worker threads with the same result as in this thread, as a table and as a page that stands alone', async () => {
    const { replays, page } = await compareStored(trace, {
      cacheShares: [0.01, SHARE],
      configs: ['latent-only', 'adaptive'],
      latencies: PUBLISHED_LATENCIES,
      windows: 10,
      jobs: 2,
      onProgress: () => undefined,
    });
    expect(replays.map(({ row }) => [row.config, row.cacheShare])).toEqual([
      ['latent-only', 0.01],
      ['adaptive', 0.01],
      ['latent-only', SHARE],
      ['adaptive', SHARE],
    ]);
    expect(replays[3]?.row).toEqual(rowOf('adaptive'));
    expect(formatTable(replays.map(({ row }) => row)).split('\n')).toHaveLength(6);
    const html = htmlPage(replays, page);
    expect(html).toContain('<polyline');
    expect(html).not.toMatch(/(src|href)=/);
    expect(page.windowSeconds).toEqual(page.windowSeconds.toSorted((a, b) => a - b));
  });
});

describe('LatencyHistogram', () => {
  it('gives the percentiles of what was added, to a tenth of a millisecond', () => {
    const histogram = new LatencyHistogram();
    for (let i = 1; i <= 1000; i += 1) histogram.add(i / 10);
    expect(histogram.percentile(0.5)).toBeCloseTo(50);
    expect(histogram.percentile(0.99)).toBeCloseTo(99);
    expect(new LatencyHistogram().percentile(0.5)).toBe(0);
  });
});
