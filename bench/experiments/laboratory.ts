/** What all experiments share: a trace in memory, runs on all cores, and tables. */
import { availableParallelism } from 'node:os';
import { ENTRY_OVERHEAD_BYTES } from '../../src/cache/dual-format-cache.js';
import { cachePreset, type CachePolicy, type PresetOptions } from '../../src/cache/presets.js';
import type { Simulation } from '../../src/simulate/replay/configuration.js';
import { PUBLISHED_LATENCIES, type LatencyPhase } from '../../src/simulate/replay/latency-model.js';
import type { Replay } from '../../src/simulate/replay/replay.js';
import { runSimulations } from '../../src/simulate/replay/run-simulations.js';
import { storeTrace, type StoredTrace } from '../../src/simulate/replay/stored-trace.js';
import { openTrace, type TraceOptions } from '../../src/simulate/trace/open-trace.js';

export interface ExperimentOptions {
  readonly requests: number;
  readonly seed: number;
}

/** Prints one line of its report. */
export type Print = (line: string) => void;
export type Experiment = (options: ExperimentOptions, print: Print) => Promise<void>;

/** Windows of equally many requests. */
export const WINDOWS = 100;

export class Laboratory {
  private constructor(readonly trace: StoredTrace) {}

  static async over(options: TraceOptions): Promise<Laboratory> {
    return new Laboratory(await storeTrace(openTrace(options), () => undefined));
  }

  /** One simulation of a cache in front of a store of latents. */
  simulation(
    policy: CachePolicy,
    cacheShare: number,
    alpha: number | 'auto',
    more: Partial<PresetOptions> = {},
  ): Simulation {
    const capacityBytes = Math.floor(cacheShare * this.trace.workingSetBytes);
    return {
      config: alpha === 'auto' ? (policy === 'adaptive' ? 'adaptive' : 'adaptive-published') : 'static',
      cacheShare,
      source: 'latent-store',
      cache: cachePreset(policy, { ...more, capacityBytes, alpha, entryOverheadBytes: ENTRY_OVERHEAD_BYTES }),
    };
  }

  run(simulations: readonly Simulation[], phases: readonly LatencyPhase[] = []): Promise<Replay[]> {
    return runSimulations(simulations, {
      trace: this.trace,
      options: { latencies: { ...PUBLISHED_LATENCIES, phases }, windows: WINDOWS },
      jobs: availableParallelism(),
      onProgress: () => undefined,
    });
  }
}

export const FIXED_ALPHAS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

export function best(replays: readonly Replay[]): Replay {
  return replays.reduce((a, b) => (b.row.meanMs < a.row.meanMs ? b : a));
}

export function printTable(print: Print, head: readonly string[], rows: readonly (readonly string[])[]): void {
  print(`| ${head.join(' | ')} |`);
  print(`| ${head.map((_, i) => (i === 0 ? '---' : '--:')).join(' | ')} |`);
  for (const row of rows) print(`| ${row.join(' | ')} |`);
  print('');
}

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
export const ms = (value: number): string => value.toFixed(1);
