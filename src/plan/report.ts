/** A plan for people: a table for a terminal, and a page with curves that stands alone. */
import { escapeText, lineChart } from '../report/line-chart.js';
import { formatBytes, formatDollars, formatShare } from '../report/quantities.js';
import { computePlan, type Costs, type Horizon, type Plan } from './cost-model.js';
import type { Prices } from './prices.js';
import { meanOver, type Workload } from './workload.js';

const MONTHS_PER_YEAR = 12;
const COST_ROWS: readonly (readonly [label: string, cost: keyof Costs])[] = [
  ['storage', 'storage'],
  ['requests', 'requests'],
  ['retrieval', 'retrieval'],
  ['GPU', 'gpu'],
  ['total', 'total'],
];

export function formatPlan(plan: Plan, workload: Workload): string {
  const { breakEven } = plan;
  const line = (label: string, png: string, latent: string): string =>
    `${label.padEnd(24)} ${png.padStart(18)} ${latent.padStart(18)}\n`;
  return [
    `${workload.source}: ${assumptions(workload)}\n\n`,
    line(`over ${plan.months.length} months`, 'PNG store', 'latent store'),
    ...COST_ROWS.map(([label, cost]) => line(label, formatDollars(plan.png[cost]), formatDollars(plan.latent[cost]))),
    line('stored at the end', formatBytes(plan.pngBytes), formatBytes(plan.latentBytes)),
    `\nLatents cost ${plan.ratio.toFixed(2)} of the PNG store, ${saving(plan)}; ${Math.round(plan.gpuHours).toLocaleString('en')} GPU hours.\n`,
    `Both cost the same ${breakEvens(breakEven).join(', or ')}.\n`,
    breakEven.month === undefined
      ? 'Latents are not ahead within this time.\n'
      : `Latents are ahead from month ${breakEven.month} on.\n`,
  ].join('');
}

function saving({ savedDollars, ratio }: Plan): string {
  return savedDollars >= 0
    ? `${formatDollars(savedDollars)} or ${formatShare(1 - ratio)} saved`
    : `${formatDollars(-savedDollars)} more`;
}

function breakEvens({ gpuHour, decodeMs, views }: Plan['breakEven']): string[] {
  const found = [
    ...(gpuHour === undefined ? [] : [`at ${formatDollars(gpuHour)} a GPU hour`]),
    ...(decodeMs === undefined ? [] : [`at ${decodeMs.toFixed(0)} ms a decode`]),
    ...(views === undefined ? [] : [`at ${views.toFixed(2)} times the views`]),
  ];
  return found.length === 0 ? ['nowhere'] : found;
}

function assumptions(workload: Workload): string {
  const { existing, birthsPerMonth, sizes, viewsPerYear, earlyViews, decodeShare, decodeMs } = workload;
  const count = existing.reduce((a, b) => a + b, 0);
  const png = formatBytes(Math.round(meanOver(sizes, ({ imageBytes }) => imageBytes)));
  const latent = formatBytes(Math.round(meanOver(sizes, ({ latentBytes }) => latentBytes)));
  return [
    `${count.toLocaleString('en')} images and ${Math.round(birthsPerMonth).toLocaleString('en')} more a month`,
    `${png} as a PNG, ${latent} as a latent`,
    `${earlyViews.toFixed(1)} early views and ${viewsPerYear.toFixed(1)} a year`,
    `${formatShare(decodeShare)} of them decoded in ${decodeMs} ms`,
  ].join('; ');
}

/** GPU prices that the page's second chart goes through, dollars an hour. */
const GPU_PRICES = [0.1, 0.2, 0.4, 0.69, 1, 1.5, 2, 2.5, 3, 4, 5];
/** Yearly views that the third chart goes through. */
const VIEW_FACTORS = [0.1, 0.2, 0.5, 1, 2, 3, 5, 10];

/** A self-contained HTML page. */
export function planPage(plan: Plan, workload: Workload, prices: Prices, horizon: Horizon): string {
  const year = (month: number): number => month / MONTHS_PER_YEAR;
  const one = (value: number): string => value.toFixed(1);
  const ratioAt = (change: Partial<Workload>, price: Partial<Prices> = {}): number =>
    computePlan({ ...workload, ...change }, { ...prices, ...price }, horizon).ratio;
  const charts = [
    lineChart({
      title: 'Spent since the start',
      xLabel: 'years',
      yLabel: 'dollars',
      formatX: one,
      series: [
        { name: 'PNG store', points: plan.months.map(({ month, png }) => [year(month), png.total]) },
        { name: 'latent store', points: plan.months.map(({ month, latent }) => [year(month), latent.total]) },
        { name: 'of it GPU', points: plan.months.map(({ month, latent }) => [year(month), latent.gpu]) },
        { name: 'of it storage', points: plan.months.map(({ month, latent }) => [year(month), latent.storage]) },
      ],
    }),
    lineChart({
      title: 'Cost of latents over cost of PNGs, by the price of a GPU hour',
      xLabel: 'dollars an hour; under 1 latents win',
      yLabel: 'ratio',
      formatX: (x) => x.toFixed(2),
      series: [
        { name: 'ratio', points: GPU_PRICES.map((gpuHour) => [gpuHour, ratioAt({}, { gpuHour })]) },
        { name: 'break-even', points: [GPU_PRICES[0] ?? 0, GPU_PRICES.at(-1) ?? 1].map((x) => [x, 1]) },
      ],
    }),
    lineChart({
      title: 'Cost of latents over cost of PNGs, by views',
      xLabel: 'times the views assumed; under 1 latents win',
      yLabel: 'ratio',
      logX: true,
      formatX: one,
      series: [
        {
          name: 'ratio',
          points: VIEW_FACTORS.map((factor) => [
            factor,
            ratioAt({ earlyViews: factor * workload.earlyViews, viewsPerYear: factor * workload.viewsPerYear }),
          ]),
        },
        { name: 'break-even', points: [VIEW_FACTORS[0] ?? 1, VIEW_FACTORS.at(-1) ?? 1].map((x) => [x, 1]) },
      ],
    }),
  ];
  const priceRows = Object.entries(prices).map(([name, value]) => `<tr><td>${name}</td><td>${String(value)}</td></tr>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>LatentBox: plan</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; font-size: 13px } td { padding: 2px 8px; border-bottom: 1px solid #ddd }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto } svg { max-width: 720px; width: 100%; display: block; margin: 1.5rem 0 }
</style>
<h1>What latents would cost, and save</h1>
<pre>${escapeText(formatPlan(plan, workload))}</pre>
${charts.join('\n')}
<h2>Prices</h2>
<table>${priceRows.join('\n')}</table>
</html>
`;
}
