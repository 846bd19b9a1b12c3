/** Measures a trace against the published production workload: every target beside the value reached. */
import { MONTH_SECONDS, PUBLISHED_VIEWS_PER_IMAGE } from './generator.js';
import { TIERS } from './popularity.js';
import type { Trace } from './trace.js';

const HOUR = 3600;
const DAY = 24 * HOUR;
const PERCENT = 100;
const FEW_VIEWS = 10;
const INITIAL_OBJECTS = 1 << 12;

export interface CalibrationRow {
  readonly quantity: string;
  readonly unit: '%' | 'views' | 'months' | 'bytes' | 'images';
  /** The published figure; undefined where none is published. */
  readonly target: number | undefined;
  readonly value: number;
}

export interface Calibration {
  readonly trace: string;
  readonly requests: number;
  readonly objects: number;
  readonly months: number;
  readonly rows: readonly CalibrationRow[];
  /** Images first seen in each month. */
  readonly births: readonly number[];
}

/**
 * Reads a trace through once. Memory: 28 bytes an object.
 *
 * @param onProgress told the requests read so far, after each batch
 * @throws TraceError where the trace is a faulty file
 */
export async function measureCalibration(trace: Trace, onProgress?: (requests: number) => void): Promise<Calibration> {
  const objects = new ObjectStatistics();
  const intervals = { all: 0, hour: 0, day: 0, beyondMonth: 0 };
  const births: number[] = [];
  let requests = 0;
  let lastTime = 0;
  let firstTime: number | undefined;
  for await (const batch of trace.batches()) {
    for (let i = 0; i < batch.length; i++) {
      const time = batch.times[i] ?? 0;
      firstTime ??= time;
      lastTime = time;
      const object = batch.objects[i] ?? 0;
      const gap = objects.see(object, time, batch.imageBytes[i] ?? 0, batch.latentBytes[i] ?? 0);
      if (gap === undefined) {
        const month = Math.floor((time - firstTime) / MONTH_SECONDS);
        births[month] = (births[month] ?? 0) + 1;
        continue;
      }
      intervals.all += 1;
      if (gap <= HOUR) intervals.hour += 1;
      if (gap <= DAY) intervals.day += 1;
      if (gap > 30 * DAY) intervals.beyondMonth += 1;
    }
    requests += batch.length;
    onProgress?.(requests);
  }
  const share = (count: number, all: number): number => (all === 0 ? 0 : (PERCENT * count) / all);
  const views = objects.viewsInRankOrder();
  const top = (rank: number): number => share(sum(views, Math.round(rank * views.length)), requests);
  const row = (
    quantity: string,
    unit: CalibrationRow['unit'],
    target: number | undefined,
    value: number,
  ): CalibrationRow => ({ quantity, unit, target, value });
  const count = (test: (views: number) => boolean): number => share(views.filter(test).length, views.length);
  return {
    trace: trace.name,
    requests,
    objects: views.length,
    months: (lastTime - (firstTime ?? 0)) / MONTH_SECONDS,
    births: Array.from(births, (born: number | undefined) => born ?? 0),
    rows: [
      row('views of the top 1 % of images', '%', 39, top(0.01)),
      row('views of the top 10 % of images', '%', 71, top(0.1)),
      row(
        'images with fewer than ten views',
        '%',
        69,
        count((seen) => seen < FEW_VIEWS),
      ),
      row(
        'images seen once',
        '%',
        15,
        count((seen) => seen === 1),
      ),
      row('views per image', 'views', PUBLISHED_VIEWS_PER_IMAGE, requests / Math.max(1, views.length)),
      row('re-accesses within an hour', '%', 38, share(intervals.hour, intervals.all)),
      row('re-accesses within a day', '%', 68, share(intervals.day, intervals.all)),
      row('re-accesses after more than 30 days', '%', 6, share(intervals.beyondMonth, intervals.all)),
      row('mean size of an image as PNG', 'bytes', 1_400_000, objects.meanImageBytes),
      row('mean size of an image as latent', 'bytes', 280_000, objects.meanLatentBytes),
      ...objects
        .decay()
        .flatMap(({ tier, day, month }) => [
          row(`later views of ${tier} images within a day of birth`, '%', undefined, day),
          row(`later views of ${tier} images within 30 days of birth`, '%', undefined, month),
        ]),
    ],
  };
}

/** Counters by object number, in arrays that grow. */
class ObjectStatistics {
  #known = 0;
  #imageBytes = 0;
  #latentBytes = 0;
  #birth = new Float64Array(INITIAL_OBJECTS);
  #last = new Float64Array(INITIAL_OBJECTS);
  #views = new Uint32Array(INITIAL_OBJECTS);
  #viewsInFirstDay = new Uint32Array(INITIAL_OBJECTS);
  #viewsInFirstMonth = new Uint32Array(INITIAL_OBJECTS);

  get meanImageBytes(): number {
    return this.#imageBytes / Math.max(1, this.#known);
  }

  get meanLatentBytes(): number {
    return this.#latentBytes / Math.max(1, this.#known);
  }

  /** @returns seconds since the object was last seen; undefined at its first time */
  see(object: number, time: number, imageBytes: number, latentBytes: number): number | undefined {
    if (object >= this.#views.length) this.#grow(object);
    const before = this.#views[object] ?? 0;
    this.#views[object] = before + 1;
    const last = this.#last[object] ?? 0;
    this.#last[object] = time;
    if (before === 0) {
      this.#known += 1;
      this.#imageBytes += imageBytes;
      this.#latentBytes += latentBytes;
      this.#birth[object] = time;
      return undefined;
    }
    const age = time - (this.#birth[object] ?? 0);
    if (age <= DAY) this.#viewsInFirstDay[object] = (this.#viewsInFirstDay[object] ?? 0) + 1;
    if (age <= 30 * DAY) this.#viewsInFirstMonth[object] = (this.#viewsInFirstMonth[object] ?? 0) + 1;
    return time - last;
  }

  /** Views of each object that was seen, most first. */
  viewsInRankOrder(): Uint32Array {
    return this.#views
      .filter((views) => views > 0)
      .sort()
      .reverse();
  }

  /** For each tier of popularity, the share in per cent of its re-accesses that came within a day, and 30 days. */
  decay(): { tier: string; day: number; month: number }[] {
    const ranked = Array.from({ length: this.#views.length }, (_, object) => object)
      .filter((object) => (this.#views[object] ?? 0) > 0)
      .sort((a, b) => (this.#views[b] ?? 0) - (this.#views[a] ?? 0));
    let from = 0;
    return TIERS.map(({ name, rank }) => {
      const to = Math.round(rank * ranked.length);
      const tier = ranked.slice(from, to);
      from = to;
      const later = tier.reduce((total, object) => total + (this.#views[object] ?? 0) - 1, 0);
      const share = (counts: Uint32Array): number =>
        (PERCENT * tier.reduce((total, object) => total + (counts[object] ?? 0), 0)) / Math.max(1, later);
      return { tier: name, day: share(this.#viewsInFirstDay), month: share(this.#viewsInFirstMonth) };
    });
  }

  #grow(object: number): void {
    const length = Math.max(2 * this.#views.length, object + 1);
    this.#birth = larger(this.#birth, new Float64Array(length));
    this.#last = larger(this.#last, new Float64Array(length));
    this.#views = larger(this.#views, new Uint32Array(length));
    this.#viewsInFirstDay = larger(this.#viewsInFirstDay, new Uint32Array(length));
    this.#viewsInFirstMonth = larger(this.#viewsInFirstMonth, new Uint32Array(length));
  }
}

function larger<Values extends Float64Array | Uint32Array>(values: Values, room: Values): Values {
  room.set(values);
  return room;
}

function sum(values: Uint32Array, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += values[i] ?? 0;
  return total;
}
