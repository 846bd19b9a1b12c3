/** The published scheme's four parameters, one at a time, and what the same change does to the default policy. */
import type { PresetOptions } from '../../src/cache/presets.js';
import { Laboratory, ms, percent, printTable, type Experiment } from './laboratory.js';

const SHARE = 0.01;

export const sweeps: Experiment = async ({ requests, seed }, print) => {
  const laboratory = await Laboratory.over({ requests, seed });
  print(
    `One parameter at a time, cache ${percent(SHARE)}; ${laboratory.trace.name}. Published defaults: step 0.01, window 1 M requests at full scale, h 2, τ 0.1.`,
  );
  const window = (share: number): number => Math.max(100, Math.round(share * requests));
  const swept: readonly (readonly [string, readonly (readonly [string, Partial<PresetOptions>])[]])[] = [
    ['step δ', [0.002, 0.005, 0.01, 0.02, 0.05, 0.1].map((step) => [String(step), { step }] as const)],
    [
      'window W, share of the trace',
      [0.0002, 0.001, 0.005, 0.02, 0.05].map((share) => [percent(share, 2), { window: window(share) }] as const),
    ],
    ['threshold h', [1, 2, 3, 4, 8].map((promotionHits) => [String(promotionHits), { promotionHits }] as const)],
    ['tail τ', [0.02, 0.05, 0.1, 0.2, 0.4].map((tail) => [String(tail), { tail }] as const)],
  ];
  const rows: string[][] = [];
  for (const [name, values] of swept) {
    const published = await laboratory.run(
      values.map(([, more]) => laboratory.simulation('published', SHARE, 'auto', more)),
    );
    const ours = await laboratory.run(values.map(([, more]) => laboratory.simulation('adaptive', SHARE, 'auto', more)));
    values.forEach(([value], i) => {
      const { row } = published[i] ?? {};
      const mine = ours[i]?.row;
      if (!row || !mine) throw new Error('a simulation gave no result');
      const unused = name.startsWith('step') || name.startsWith('tail');
      rows.push([
        name,
        value,
        ms(row.meanMs),
        row.alpha.toFixed(2),
        unused ? 'not used' : ms(mine.meanMs),
        unused ? '' : mine.alpha.toFixed(2),
      ]);
    });
  }
  printTable(print, ['parameter', 'value', 'adaptive-published, ms', 'mean α', 'adaptive, ms', 'mean α'], rows);
};
