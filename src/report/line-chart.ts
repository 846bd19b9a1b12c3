/** A line chart as one SVG element, for pages that must stand alone: no scripts, no files beside them. */

export interface LineSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly LineSeries[];
  /** Logarithmic horizontal axis; all x must be over 0 then. */
  readonly logX?: boolean;
  readonly formatX?: (x: number) => string;
}

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 190;
const TOP = 36;
const BOTTOM = 48;
const TICKS = 5;
/** Okabe and Ito's palette, told apart by colour-blind readers too. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000', '#999999'];

export function lineChart(chart: LineChart): string {
  const { title, xLabel, yLabel, series, logX = false, formatX = plain } = chart;
  const points = series.flatMap((line) => line.points);
  const xs = points.map(([x]) => (logX ? Math.log(x) : x));
  const [low, high] = points.length === 0 ? [0, 1] : [least(xs), most(xs)];
  const top = points.length === 0 ? 1 : Math.max(most(points.map(([, y]) => y)) * 1.05, 1e-9);
  const across = (x: number): number =>
    LEFT + (((logX ? Math.log(x) : x) - low) / Math.max(high - low, 1e-12)) * (WIDTH - LEFT - RIGHT);
  const up = (y: number): number => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);
  const xTicks = logX
    ? [...new Set(points.map(([x]) => x))]
    : Array.from({ length: TICKS }, (_, i) => low + ((high - low) * i) / (TICKS - 1));
  const grid = Array.from({ length: TICKS }, (_, i) => (top * i) / (TICKS - 1)).map(
    (y) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(up(y))}" y2="${round(up(y))}" stroke="#ddd"/>` +
      `<text x="${LEFT - 6}" y="${round(up(y) + 4)}" text-anchor="end">${plain(y)}</text>`,
  );
  const below = xTicks.map(
    (x) =>
      `<text x="${round(across(x))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escapeText(formatX(x))}</text>`,
  );
  const lines = series.map(({ name, points: line }, i) => {
    const colour = COLOURS[i % COLOURS.length] ?? '#000';
    const path = line.map(([x, y]) => `${round(across(x))},${round(up(y))}`).join(' ');
    const y = TOP + 12 + 18 * i;
    return (
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>` +
      `<line x1="${WIDTH - RIGHT + 12}" x2="${WIDTH - RIGHT + 32}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" stroke-width="3"/>` +
      `<text x="${WIDTH - RIGHT + 38}" y="${y}">${escapeText(name)}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}" font-family="sans-serif" font-size="12">`,
    `<text x="${LEFT}" y="20" font-size="15" font-weight="bold">${escapeText(title)}</text>`,
    ...grid,
    ...below,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeText(xLabel)}</text>`,
    `<text transform="translate(14 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escapeText(yLabel)}</text>`,
    ...lines,
    '</svg>',
  ].join('\n');
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A spread of `Math.min` would overflow the stack on long series. */
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}
function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

function plain(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 4 });
}

function round(value: number): string {
  return value.toFixed(1);
}
