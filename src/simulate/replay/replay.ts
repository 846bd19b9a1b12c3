/**
 * Replays a trace through the cache's index, the class that decides in the gateway too. Object numbers are the slots, so
 * that a request allocates nothing.
 */
import { PLACE } from '../../cache/slot-table.js';
import { hashNumber } from '../../cache/key-hash.js';
import { ACCESS, type TierEvents } from '../../cache/tier-pair.js';
import { TieredIndex } from '../../cache/tiered-index.js';
import type { Simulation } from './configuration.js';
import { LatencyHistogram } from './latency-histogram.js';
import { LatencyModel, type LatencyOptions } from './latency-model.js';
import type { StoredTrace } from './stored-trace.js';

/** One line of `simulate --json`. */
export interface SimulationRow {
  readonly config: string;
  /** Cache size as a share of the PNG bytes of all objects. */
  readonly cacheShare: number;
  /** Share of the image tier; the mean over the requests where it moves. */
  readonly alpha: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Shares of the requests. */
  readonly imageHit: number;
  readonly latentHit: number;
  readonly miss: number;
  readonly decodes: number;
  /** Bytes read from the store, background fetches included. */
  readonly storeBytes: number;
}

/** The course of a replay, by windows of equally many requests. */
export interface ReplayWindows {
  readonly meanMs: readonly number[];
  /** At the window's end. */
  readonly alpha: readonly number[];
}

export interface Replay {
  readonly row: SimulationRow;
  readonly windows: ReplayWindows;
  /** Requests a second that the replay itself made. */
  readonly requestsPerSecond: number;
}

/** Requests between two reports of progress. */
const PROGRESS_REQUESTS = 1 << 16;

export interface ReplayOptions {
  readonly latencies: LatencyOptions;
  /** How many windows to report. */
  readonly windows: number;
  readonly onProgress?: (requests: number) => void;
}

export function replay(trace: StoredTrace, simulation: Simulation, options: ReplayOptions): Replay {
  const started = performance.now();
  const run = new Run(trace, simulation, options);
  const replayed = run.replay();
  const requestsPerSecond = (1000 * trace.objects.length) / Math.max(1e-3, performance.now() - started);
  return { ...replayed, requestsPerSecond };
}

class Run {
  readonly #index: TieredIndex;
  readonly #latencies: LatencyModel;
  readonly #histogram = new LatencyHistogram();
  /** Objects whose latent the index would like back; fetched after the request that evicted them. */
  readonly #wanted: number[] = [];
  #decodes = 0;
  #storeBytes = 0;

  constructor(
    private readonly trace: StoredTrace,
    private readonly simulation: Simulation,
    private readonly options: ReplayOptions,
  ) {
    const events: TierEvents = {
      demoted: () => undefined,
      latentDropped: () => undefined,
      evicted: () => undefined,
      latentWanted: (slot) => this.#wanted.push(slot),
    };
    this.#index = new TieredIndex(simulation.cache, events);
    this.#index.reserve(trace.imageBytes.length);
    this.#latencies = new LatencyModel(options.latencies, trace.objects.length);
  }

  replay(): Omit<Replay, 'requestsPerSecond'> {
    const { objects } = this.trace;
    const { windows, onProgress } = this.options;
    const requests = objects.length;
    const windowMeans: number[] = [];
    const windowAlphas: number[] = [];
    let total = 0;
    let alphaSum = 0;
    let start = 0;
    let sinceProgress = 0;
    for (let window = 0; window < windows; window += 1) {
      const end = Math.floor(((window + 1) * requests) / windows);
      let sum = 0;
      for (let i = start; i < end; i += 1) {
        const ms = this.#request(i, objects[i] ?? 0);
        this.#histogram.add(ms);
        sum += ms;
        alphaSum += this.#index.alpha;
        if (++sinceProgress === PROGRESS_REQUESTS) {
          onProgress?.(sinceProgress);
          sinceProgress = 0;
        }
      }
      windowMeans.push(end > start ? sum / (end - start) : 0);
      windowAlphas.push(this.#index.alpha);
      total += sum;
      start = end;
    }
    onProgress?.(sinceProgress);
    return {
      row: this.#row(total, alphaSum),
      windows: { meanMs: windowMeans, alpha: windowAlphas },
    };
  }

  /** @returns what the client waits, in milliseconds */
  #request(i: number, object: number): number {
    const index = this.#index;
    this.#latencies.at(i);
    const hash = hashNumber(object);
    const access = index.access(object, hash);
    let ms = this.#latencies.hitMs;
    if (access === ACCESS.miss) ms += this.#miss(i, object, hash);
    else if (access !== ACCESS.image) {
      const decode = this.#decode(i);
      ms += decode;
      if (access === ACCESS.latentPromote)
        index.insertImage(object, hash, this.trace.imageBytes[object] ?? 0, this.trace.latentBytes[object] ?? 0);
    }
    if (this.#wanted.length > 0) this.#refetch();
    return ms;
  }

  #miss(i: number, object: number, hash: number): number {
    const index = this.#index;
    const imageBytes = this.trace.imageBytes[object] ?? 0;
    const latentBytes = this.trace.latentBytes[object] ?? 0;
    const { source } = this.simulation;
    if (source === 'generation') {
      index.insertImage(object, hash, imageBytes, 0);
      return this.#latencies.generation(i);
    }
    const fetch = this.#latencies.fetch(i);
    index.observeFetch(fetch);
    if (source === 'image-store') {
      this.#storeBytes += imageBytes;
      index.insertImage(object, hash, imageBytes, 0);
      return fetch;
    }
    this.#storeBytes += latentBytes;
    const decode = this.#decode(i);
    if (index.firstTier === 'image') index.insertImage(object, hash, imageBytes, latentBytes);
    else index.insertLatent(object, hash, latentBytes);
    return fetch + decode;
  }

  #decode(i: number): number {
    const decode = this.#latencies.decode(i);
    this.#decodes += 1;
    this.#index.observeDecode(decode);
    return decode;
  }

  #refetch(): void {
    for (let object = this.#wanted.pop(); object !== undefined; object = this.#wanted.pop()) {
      if (this.#index.placeOf(object) !== PLACE.nowhere) continue;
      const latentBytes = this.trace.latentBytes[object] ?? 0;
      this.#storeBytes += latentBytes;
      this.#index.insertLatent(object, hashNumber(object), latentBytes);
    }
  }

  #row(totalMs: number, alphaSum: number): SimulationRow {
    const { counters } = this.#index;
    const requests = Math.max(1, this.trace.objects.length);
    return {
      config: this.simulation.config,
      cacheShare: this.simulation.cacheShare,
      alpha: this.simulation.cache.border ? alphaSum / requests : this.simulation.cache.alpha,
      meanMs: totalMs / requests,
      p50Ms: this.#histogram.percentile(0.5),
      p95Ms: this.#histogram.percentile(0.95),
      p99Ms: this.#histogram.percentile(0.99),
      imageHit: counters.imageHits / requests,
      latentHit: counters.latentHits / requests,
      miss: counters.misses / requests,
      decodes: this.#decodes,
      storeBytes: this.#storeBytes,
    };
  }
}
