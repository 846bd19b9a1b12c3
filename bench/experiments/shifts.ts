/** What happens when the world changes half-way: how far each phase is from its best fixed split, and how long it takes. */
import type { LatencyPhase } from '../../src/simulate/replay/latency-model.js';
import type { Replay } from '../../src/simulate/replay/replay.js';
import type { TraceOptions } from '../../src/simulate/trace/open-trace.js';
import { FIXED_ALPHAS, Laboratory, WINDOWS, ms, percent, printTable, type Experiment } from './laboratory.js';

const SHARE = 0.01;
const HALF = WINDOWS / 2;
/** The first windows fill the cache. */
const WARM_UP = WINDOWS / 10;
const SETTLED = 1.05;

interface Shift {
  readonly name: string;
  readonly latencies: readonly LatencyPhase[];
  readonly trace: TraceOptions;
  /** Windows of the second phase. */
  readonly until: number;
}

const SHIFTS: readonly Shift[] = [
  { name: 'decodes take twice as long', latencies: [{ from: 0.5, decode: 2, fetch: 1 }], trace: {}, until: WINDOWS },
  {
    name: 'the store is five times slower',
    latencies: [{ from: 0.5, decode: 1, fetch: 5 }],
    trace: {},
    until: WINDOWS,
  },
  {
    name: 'three times as many new images',
    latencies: [],
    trace: { phases: [{ from: 0.5, to: 1, births: 3 }] },
    until: WINDOWS,
  },
];

export const shifts: Experiment = async ({ requests, seed }, print) => {
  print(
    `A change half-way, cache ${percent(SHARE)}, ${requests.toLocaleString('en')} requests, seed ${seed}. A window is ${percent(1 / WINDOWS, 0)} of the requests.`,
  );
  const rows: string[][] = [];
  for (const { name, latencies, trace, until } of SHIFTS) {
    const laboratory = await Laboratory.over({ ...trace, requests, seed });
    for (const policy of ['published', 'adaptive'] as const) {
      const [moving, ...fixed] = await laboratory.run(
        [
          laboratory.simulation(policy, SHARE, 'auto'),
          ...FIXED_ALPHAS.map((alpha) => laboratory.simulation(policy, SHARE, alpha)),
        ],
        latencies,
      );
      if (!moving) throw new Error('the simulation gave no result');
      for (const [phase, from, to] of [
        ['before', WARM_UP, HALF],
        ['after', HALF, until],
      ] as const) {
        const bestFixed = leastIn(fixed, from, to);
        rows.push([
          name,
          policy,
          phase,
          ms(mean(moving, from, to)),
          `${ms(mean(bestFixed, from, to))} (α ${bestFixed.row.alpha})`,
          percent(mean(moving, from, to) / mean(bestFixed, from, to) - 1),
          phase === 'after' ? settling(moving, bestFixed, from, to) : '',
          (moving.windows.alpha[to - 1] ?? 0).toFixed(2),
        ]);
      }
    }
  }
  printTable(
    print,
    [
      'change',
      'policy',
      'phase',
      'moving, ms',
      'best fixed split of the phase',
      'over it',
      'settled after',
      'α at the end',
    ],
    rows,
  );
};

function mean({ windows }: Replay, from: number, to: number): number {
  return windows.meanMs.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
}

function leastIn(replays: readonly Replay[], from: number, to: number): Replay {
  return replays.reduce((a, b) => (mean(b, from, to) < mean(a, from, to) ? b : a));
}

/** Windows until it stays within 5 % of the phase's best fixed split. */
function settling(moving: Replay, fixed: Replay, from: number, to: number): string {
  for (let window = to - 1; window >= from; window -= 1) {
    if ((moving.windows.meanMs[window] ?? 0) > SETTLED * (fixed.windows.meanMs[window] ?? 0))
      return window === to - 1 ? 'not' : `${window + 1 - from} windows`;
  }
  return '0 windows';
}
