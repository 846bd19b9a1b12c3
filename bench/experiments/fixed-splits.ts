/** The moving border against every fixed one: whole runs, windows won, and regret against the best split of each window. */
import type { CachePolicy } from '../../src/cache/presets.js';
import type { Replay } from '../../src/simulate/replay/replay.js';
import { FIXED_ALPHAS, Laboratory, WINDOWS, best, ms, percent, printTable, type Experiment } from './laboratory.js';

const SHARES = [0.001, 0.01, 0.05, 0.1];
/** Windows that fill the cache are not counted: a tenth of the trace. */
const WARM_UP = WINDOWS / 10;
/** Windows that differ by less are a draw: what one window's own noise is worth. */
const DRAW = 0.005;

export const fixedSplits: Experiment = async ({ requests, seed }, print) => {
  const laboratory = await Laboratory.over({ requests, seed });
  print(`The moving border against fixed ones after ${WARM_UP} of ${WINDOWS} windows; ${laboratory.trace.name}.`);
  print('Published: 1.7 % better than the best static, at or above α = 0.5 in 87 % of the windows.');
  const rows: string[][] = [];
  for (const share of SHARES) {
    for (const policy of ['published', 'adaptive'] as const) {
      const fixed = await fixedRuns(laboratory, policy, share);
      const published = policy === 'published' ? fixed : await fixedRuns(laboratory, 'published', share);
      const [moving] = await laboratory.run([laboratory.simulation(policy, share, 'auto')]);
      if (!moving) throw new Error('the simulation gave no result');
      const half = published[FIXED_ALPHAS.indexOf(0.5)];
      rows.push([
        percent(share),
        policy,
        ms(late(moving)),
        `${ms(late(bestLate(published)))} (α ${bestLate(published).row.alpha})`,
        `${ms(late(bestLate(fixed)))} (α ${bestLate(fixed).row.alpha})`,
        percent(windowsWon(moving, bestLate(published))),
        percent(windowsWon(moving, bestLate(fixed))),
        half ? percent(windowsWon(moving, half)) : '',
        percent(regret(moving, fixed)),
      ]);
    }
  }
  printTable(
    print,
    [
      'cache',
      'policy',
      'moving, ms',
      'best static',
      'best fixed of the same policy',
      'windows ≤ best static',
      'windows ≤ best of the same policy',
      'windows ≤ static α 0.5',
      'regret to the best split of each window',
    ],
    rows,
  );
};

function fixedRuns(laboratory: Laboratory, policy: CachePolicy, share: number): Promise<Replay[]> {
  return laboratory.run(FIXED_ALPHAS.map((alpha) => laboratory.simulation(policy, share, alpha)));
}

function late({ windows }: Replay): number {
  const counted = windows.meanMs.slice(WARM_UP);
  return counted.reduce((sum, value) => sum + value, 0) / counted.length;
}

function bestLate(replays: readonly Replay[]): Replay {
  return replays.reduce((a, b) => (late(b) < late(a) ? b : a), best(replays));
}

function windowsWon(moving: Replay, other: Replay): number {
  const won = moving.windows.meanMs.filter(
    (value, i) => i >= WARM_UP && value <= (other.windows.meanMs[i] ?? 0) * (1 + DRAW),
  );
  return won.length / (WINDOWS - WARM_UP);
}

/** How much more the moving border costs than a clairvoyant who has the best fixed split of each window. */
function regret(moving: Replay, fixed: readonly Replay[]): number {
  let least = 0;
  let real = 0;
  for (let i = WARM_UP; i < WINDOWS; i += 1) {
    least += Math.min(...fixed.map(({ windows }) => windows.meanMs[i] ?? Infinity));
    real += moving.windows.meanMs[i] ?? 0;
  }
  return real / least - 1;
}
