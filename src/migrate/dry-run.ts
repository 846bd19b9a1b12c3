/** A dry run: a sample of the location is converted and thrown away, and what the whole would bring is forecast. */
import type { ListedObject, ObjectStore } from '../../s3-api/index.js';
import type { ObjectExaminer } from './examine-object.js';
import { forecast, type Forecast, type ForecastPrices, type SampledObject } from './forecast.js';
import { listLocation } from './listing.js';
import type { Location } from './location.js';
import type { ConvertedObject } from './object-converter.js';
import { runPool } from './run-pool.js';
import { Reservoir } from './statistics.js';

export interface DryRunOptions {
  readonly store: ObjectStore;
  readonly examiner: ObjectExaminer;
  readonly from: Location;
  readonly ignore: readonly string[];
  readonly concurrency: number;
  /** Objects that are converted to see. */
  readonly sampleSize: number;
  readonly prices: ForecastPrices;
  /** In [0, 1). */
  readonly random: () => number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  readonly onProgress: (done: number, total: number) => void;
  readonly onConverted: (key: string, original: Uint8Array, converted: ConvertedObject) => Promise<void>;
}

const MS_PER_SECOND = 1000;

/** @returns the forecast, and the sample that it rests on */
export async function dryRun(
  options: DryRunOptions,
  signal: AbortSignal,
): Promise<{ readonly forecast: Forecast; readonly sample: readonly (SampledObject & { readonly key: string })[] }> {
  const { store, examiner, from, ignore, concurrency, sampleSize, prices, random, clock } = options;
  const reservoir = new Reservoir<ListedObject>(sampleSize, random);
  const total = { objects: 0, bytes: 0 };
  for await (const object of listLocation(store, from, ignore, signal)) {
    total.objects += 1;
    total.bytes += object.size;
    reservoir.add(object);
  }
  const sample: (SampledObject & { key: string })[] = [];
  const start = clock();
  await runPool(each(reservoir.items), concurrency, async ({ key, size }) => {
    const examined = await examiner.examine(key, signal);
    if (examined.kind === 'gone') return;
    if (examined.kind === 'converts') await options.onConverted(key, examined.original, examined.converted);
    sample.push({ key, size, outcome: examined.outcome });
    options.onProgress(sample.length, reservoir.items.length);
  });
  const sampleSeconds = (clock() - start) / MS_PER_SECOND;
  return { forecast: forecast({ sample, total, sampleSeconds, prices }), sample };
}

async function* each<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
