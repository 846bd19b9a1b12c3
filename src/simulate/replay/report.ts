/** What a run of simulations says: a table for a terminal, and a page with plots that stands alone. */
import { escapeText, lineChart, type LineSeries } from '../../report/line-chart.js';
import { formatBytes, formatShare } from '../../report/quantities.js';
import type { Replay, SimulationRow } from './replay.js';

const COLUMNS = [
  'config',
  'cache',
  'alpha',
  'mean ms',
  'p50',
  'p95',
  'p99',
  'image hits',
  'latent hits',
  'misses',
  'decodes',
  'from the store',
] as const;

function cells(row: SimulationRow): string[] {
  return [
    row.config,
    `${Number((row.cacheShare * 100).toPrecision(3))} %`,
    row.alpha.toFixed(2),
    row.meanMs.toFixed(1),
    row.p50Ms.toFixed(1),
    row.p95Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    formatShare(row.imageHit),
    formatShare(row.latentHit),
    formatShare(row.miss),
    row.decodes.toLocaleString('en'),
    formatBytes(row.storeBytes),
  ];
}

export function formatTable(rows: readonly SimulationRow[]): string {
  const table = [[...COLUMNS], ...rows.map(cells)];
  const widths = COLUMNS.map((_, i) => Math.max(...table.map((line) => (line[i] ?? '').length)));
  return table
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

export interface PageOptions {
  /** What was replayed, with its seed or file. */
  readonly trace: string;
  readonly requests: number;
  readonly objects: number;
  readonly workingSetBytes: number;
  /** Seconds from the first request at the end of each window. */
  readonly windowSeconds: readonly number[];
}

/** A self-contained HTML page. */
export function htmlPage(replays: readonly Replay[], page: PageOptions): string {
  const rows = replays.map(({ row }) => row);
  const shares = [...new Set(rows.map(({ cacheShare }) => cacheShare))];
  const charts = [
    lineChart({
      title: 'Mean latency by cache size',
      xLabel: 'cache, share of the PNG bytes of all objects',
      yLabel: 'mean, ms',
      logX: true,
      formatX: (x) => `${Number((x * 100).toPrecision(3))} %`,
      series: bySize(rows.filter(({ config }) => config !== 'generation')),
    }),
    ...shares.flatMap((share) => overTime(replays, share, page.windowSeconds)),
  ];
  const head = COLUMNS.map((column) => `<th>${column}</th>`).join('');
  const body = rows.map(
    (row) =>
      `<tr>${cells(row)
        .map((cell) => `<td>${escapeText(cell)}</td>`)
        .join('')}</tr>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>LatentBox: simulated cache</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; font-size: 13px } th, td { padding: 2px 8px; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left } svg { max-width: 720px; width: 100%; display: block; margin: 1.5rem 0 }
</style>
<h1>Simulated cache</h1>
<p>${escapeText(page.trace)}: ${page.requests.toLocaleString('en')} requests for ${page.objects.toLocaleString('en')} images, ${formatBytes(page.workingSetBytes)} as PNGs.</p>
${charts.join('\n')}
<table><thead><tr>${head}</tr></thead><tbody>
${body.join('\n')}
</tbody></table>
</html>
`;
}

/** One line a configuration; of the fixed splits the best at each size. */
function bySize(rows: readonly SimulationRow[]): LineSeries[] {
  const names = [...new Set(rows.map(({ config }) => config))];
  return names.map((config) => {
    const best = new Map<number, number>();
    for (const row of rows)
      if (row.config === config) best.set(row.cacheShare, Math.min(row.meanMs, best.get(row.cacheShare) ?? Infinity));
    return { name: config === 'static' ? 'static, best alpha' : config, points: [...best] };
  });
}

const SECONDS_PER_DAY = 86_400;

function overTime(replays: readonly Replay[], share: number, seconds: readonly number[]): string[] {
  const moving = replays.filter(({ row }) => row.cacheShare === share && row.config.startsWith('adaptive'));
  if (moving.length === 0) return [];
  const size = `${Number((share * 100).toPrecision(3))} %`;
  const series = (of: (replay: Replay) => readonly number[]): LineSeries[] =>
    moving.map((replay) => ({
      name: replay.row.config,
      points: of(replay).map((value, i) => [(seconds[i] ?? i) / SECONDS_PER_DAY, value] as const),
    }));
  const axes = { xLabel: 'days', formatX: (x: number) => x.toFixed(0) };
  return [
    lineChart({
      ...axes,
      title: `Share of the image tier, cache of ${size}`,
      yLabel: 'alpha',
      series: series(({ windows }) => windows.alpha),
    }),
    lineChart({
      ...axes,
      title: `Mean latency, cache of ${size}`,
      yLabel: 'ms',
      series: series(({ windows }) => windows.meanMs),
    }),
  ];
}
