/** A whole comparison: a trace read into memory, every configuration at every cache size replayed on all cores. */
import { openTrace, type TraceOptions } from '../trace/open-trace.js';
import { simulationsOf, type CacheTuning, type ConfigurationName } from './configuration.js';
import type { LatencyOptions } from './latency-model.js';
import type { Replay } from './replay.js';
import type { PageOptions } from './report.js';
import { runSimulations } from './run-simulations.js';
import { storeTrace, TIME_STRIDE, type StoredTrace } from './stored-trace.js';

export interface ComparisonOptions {
  readonly trace: TraceOptions;
  /** Cache sizes as shares of the PNG bytes of all objects. */
  readonly cacheShares: readonly number[];
  readonly configs: readonly ConfigurationName[];
  readonly latencies: LatencyOptions;
  readonly tuning?: CacheTuning;
  readonly staticAlphas?: readonly number[];
  /** Windows of equally many requests that the course of each replay is reported in. */
  readonly windows: number;
  /** Worker threads. */
  readonly jobs: number;
  readonly onProgress: (done: number, total: number | undefined, note: string) => void;
}

export interface Comparison {
  readonly replays: readonly Replay[];
  readonly page: PageOptions;
}

export async function compare(options: ComparisonOptions): Promise<Comparison> {
  const { onProgress } = options;
  const trace = openTrace(options.trace);
  const stored = await storeTrace(trace, (done) => onProgress(done, trace.requests, 'reading the trace'));
  return compareStored(stored, options);
}

/** As {@link compare}, over a trace that is in memory already. */
export async function compareStored(
  trace: StoredTrace,
  options: Omit<ComparisonOptions, 'trace'>,
): Promise<Comparison> {
  const { cacheShares, configs, tuning, staticAlphas, latencies, windows, jobs, onProgress } = options;
  if (trace.objects.length === 0) throw new RangeError('the trace has no requests');
  const simulations = cacheShares.flatMap((share) =>
    simulationsOf(share, trace.workingSetBytes, configs, tuning, staticAlphas),
  );
  let done = 0;
  const replays = await runSimulations(simulations, {
    trace,
    options: { latencies, windows },
    jobs,
    onProgress: (requests) => {
      done += requests;
      onProgress(done, simulations.length * trace.objects.length, `replaying, ${simulations.length} simulations`);
    },
  });
  return {
    replays,
    page: {
      trace: trace.name,
      requests: trace.objects.length,
      objects: trace.imageBytes.length,
      workingSetBytes: trace.workingSetBytes,
      windowSeconds: windowEnds(trace, windows),
    },
  };
}

function windowEnds(trace: StoredTrace, windows: number): number[] {
  const last = trace.times.length - 1;
  return Array.from({ length: windows }, (_, i) => {
    const request = Math.floor(((i + 1) * trace.objects.length) / windows);
    return trace.times[Math.min(last, Math.floor(request / TIME_STRIDE))] ?? 0;
  });
}
