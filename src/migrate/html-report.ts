/** The report as one HTML page that needs nothing else: figures, a histogram, and the worst cases side by side. */
import { formatBytes, formatShare } from '../report/quantities.js';
import type { MigrationReport } from './report.js';
import { ERROR_GAIN, type WorstCase } from './worst-cases.js';

export interface HtmlReportInput {
  readonly report: MigrationReport;
  readonly worst: readonly WorstCase[];
  /** PSNR of every converted object, in dB. */
  readonly psnr: readonly number[];
  /** The floor that all of them passed. */
  readonly psnrFloor: number;
}

export function htmlReport({ report, worst, psnr, psnrFloor }: HtmlReportInput): string {
  const { source, target } = report;
  const title = source === target ? `Migration of ${source}` : `Migration of ${source} to ${target}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${STYLE}</style>
<h1>${escape(title)}</h1>
<dl>${figures(report)
    .map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`)
    .join('')}</dl>
${psnr.length > 0 ? `<h2>Fidelity of the converted pictures</h2>${histogram(psnr, psnrFloor)}` : ''}
${stays(report)}
${failures(report)}
${worst.length > 0 ? `<h2>The ${worst.length} farthest from their uploads</h2>${worst.map(comparison).join('\n')}` : ''}
</html>
`;
}

function figures(report: MigrationReport): [string, string][] {
  const { psnr, ssim } = report;
  return [
    ['objects', report.objects.toLocaleString('en')],
    ['converted', report.converted.toLocaleString('en')],
    ['stay byte for byte', report.verbatim.toLocaleString('en')],
    ['were latents already', report.alreadyLatent.toLocaleString('en')],
    ['failed', report.failed.length.toLocaleString('en')],
    ['stored before', formatBytes(report.bytesBefore)],
    ['stored now', formatBytes(report.bytesAfter)],
    ['saved', `${formatBytes(report.savedBytes)} (${formatShare(report.savedShare)})`],
    ...(psnr
      ? [['PSNR, median / worst', `${psnr.p50.toFixed(1)} / ${psnr.min.toFixed(1)} dB`] as [string, string]]
      : []),
    ...(ssim ? [['SSIM, median / worst', `${ssim.p50.toFixed(4)} / ${ssim.min.toFixed(4)}`] as [string, string]] : []),
  ];
}

const PLOT = { width: 720, height: 180, left: 40, bottom: 24 } as const;

/** One bar a decibel. */
function histogram(values: readonly number[], floor: number): string {
  const first = Math.floor(Math.min(floor, ...values));
  const last = Math.ceil(Math.max(...values)) + 1;
  const counts = Array.from({ length: last - first }, () => 0);
  for (const value of values) {
    const bin = Math.floor(value) - first;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const tallest = Math.max(...counts);
  const { width, height, left, bottom } = PLOT;
  const step = (width - left) / counts.length;
  const x = (decibels: number) => left + (decibels - first) * step;
  const bars = counts.map((count, i) => {
    const tall = (count / tallest) * (height - bottom);
    const place = `x="${(left + i * step + 1).toFixed(1)}" y="${(height - bottom - tall).toFixed(1)}"`;
    return `<rect ${place} width="${Math.max(step - 2, 1).toFixed(1)}" height="${tall.toFixed(1)}"><title>${first + i} dB: ${count}</title></rect>`;
  });
  const every = Math.max(1, Math.round(counts.length / 12));
  const labels = counts.flatMap((_, i) =>
    i % every === 0
      ? [`<text x="${(left + (i + 0.5) * step).toFixed(1)}" y="${height - 6}" text-anchor="middle">${first + i}</text>`]
      : [],
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="PSNR of converted pictures, one bar a decibel">
${bars.join('')}<line class="floor" x1="${x(floor).toFixed(1)}" x2="${x(floor).toFixed(1)}" y1="0" y2="${height - bottom}"/>
<text x="${left - 4}" y="12" text-anchor="end">${tallest}</text>${labels.join('')}</svg><p>Pictures by PSNR in dB; the line is the floor.</p>`;
}

function stays({ verbatimReasons }: MigrationReport): string {
  if (verbatimReasons.length === 0) return '';
  const rows = verbatimReasons.map(
    ({ reason, detail, objects, bytes, examples }) =>
      `<tr><td><code>${escape(reason)}</code><br>${escape(detail)}</td><td>${objects.toLocaleString('en')}</td><td>${formatBytes(bytes)}</td><td>${examples.map(escape).join('<br>')}</td></tr>`,
  );
  return `<h2>What stays as it was, and why</h2><table><tr><th>reason</th><th>objects</th><th>bytes</th><th>for instance</th></tr>${rows.join('')}</table>`;
}

function failures({ failed }: MigrationReport): string {
  if (failed.length === 0) return '';
  const rows = failed.map(({ key, message }) => `<tr><td>${escape(key)}</td><td>${escape(message)}</td></tr>`);
  return `<h2>Failed; they are as they were</h2><table><tr><th>object</th><th>why</th></tr>${rows.join('')}</table>`;
}

function comparison({ key, psnr, ssim, original, served, error }: WorstCase): string {
  const image = (picture: Uint8Array, caption: string) =>
    `<figure><img alt="${escape(caption)}" src="data:image/webp;base64,${Buffer.from(picture).toString('base64')}"><figcaption>${escape(caption)}</figcaption></figure>`;
  return `<section><h3>${escape(key)}</h3><p>PSNR ${psnr.toFixed(2)} dB, SSIM ${ssim.toFixed(4)}</p>
<div class="row">${image(original, 'uploaded')}${image(served, 'served now')}${image(error, `difference × ${ERROR_GAIN}`)}</div></section>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 0.5rem; }
dl div { border: 1px solid #8884; border-radius: 6px; padding: 0.4rem 0.8rem; }
dt { font-size: 0.8rem; opacity: 0.75; } dd { margin: 0; font-size: 1.2rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid #8884; vertical-align: top; }
svg { width: 100%; max-width: 720px; } svg rect { fill: #4a7fd0; } svg text { font-size: 11px; fill: currentColor; } svg .floor { stroke: #c33; stroke-dasharray: 4 3; }
.row { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.5rem; } figure { margin: 0; } img { width: 100%; } figcaption { font-size: 0.8rem; opacity: 0.75; }
`;
