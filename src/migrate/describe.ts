/** Reports as lines for people. */
import { formatBytes, formatDollars, formatSeconds, formatShare } from '../report/quantities.js';
import type { Forecast } from './forecast.js';
import type { MigrationReport } from './report.js';
import type { Distribution } from './statistics.js';
import type { VerificationReport } from './verify-location.js';

type Row = readonly [label: string, value: string];

export function reportLines(report: MigrationReport): string {
  const { psnr, ssim, stages } = report;
  const rows: Row[] = [
    ['objects', count(report.objects)],
    ['converted', count(report.converted)],
    ['verbatim', count(report.verbatim)],
    ...report.verbatimReasons.map(({ reason, objects }): Row => [`  ${reason}`, count(objects)]),
    ['latents before', count(report.alreadyLatent)],
    ['failed', count(report.failed.length)],
    ...(report.unsettled > 0 ? [['unsettled', `${count(report.unsettled)}; run it again`] as const] : []),
    [
      'saved',
      `${formatBytes(report.savedBytes)} of ${formatBytes(report.bytesBefore)} (${formatShare(report.savedShare)})`,
    ],
    ...fidelity(psnr, ssim),
    ...(stages ? [['a picture took', stageText(stages)] as const] : []),
  ];
  const failed = report.failed.map(({ key, message }) => `failed: ${key}: ${message}\n`).join('');
  return table(rows) + failed;
}

export function forecastLines(forecast: Forecast): string {
  const { savedBytes, savedShare, savedShareError, monthsToPay } = forecast;
  return table([
    ['objects', `${count(forecast.objects)}, ${formatBytes(forecast.bytes)}`],
    ['sampled', count(forecast.sampled)],
    ['would convert', count(forecast.converted)],
    ...Object.entries(forecast.verbatim).map(([reason, objects]): Row => [`  stays: ${reason}`, count(objects)]),
    ['would save', `${formatBytes(savedBytes)} (${formatShare(savedShare)} ± ${formatShare(savedShareError)})`],
    ...fidelity(forecast.psnr, forecast.ssim),
    ['would take', `${formatSeconds(forecast.seconds)} on this machine`],
    ['device cost', formatDollars(forecast.deviceCost)],
    ['storage saved', `${formatDollars(forecast.savedPerMonth)} a month`],
    ['pays after', monthsToPay === null ? 'never' : `${monthsToPay.toFixed(1)} months`],
  ]);
}

export function verificationLines(report: VerificationReport): string {
  const rows: Row[] = [
    ['objects', count(report.objects)],
    ['latents', count(report.latents)],
    ...(report.sameSizeOnly > 0
      ? [['  same size', `${count(report.sameSizeOnly)}, first rendered elsewhere`] as const]
      : []),
    ['verbatim', count(report.verbatim)],
    ['failed', count(report.failed.length)],
  ];
  return table(rows) + report.failed.map(({ key, message }) => `failed: ${key}: ${message}\n`).join('');
}

export function restoreLines(result: {
  readonly restored: number;
  readonly untouched: number;
  readonly failed: readonly { readonly key: string; readonly message: string }[];
}): string {
  const rows: Row[] = [
    ['restored', count(result.restored)],
    ['no latents', count(result.untouched)],
    ['failed', count(result.failed.length)],
  ];
  return table(rows) + result.failed.map(({ key, message }) => `failed: ${key}: ${message}\n`).join('');
}

function fidelity(psnr: Distribution | undefined, ssim: Distribution | undefined): Row[] {
  const text = (d: Distribution, digits: number, unit: string) =>
    `median ${d.p50.toFixed(digits)}${unit}, quartiles ${d.p25.toFixed(digits)} and ${d.p75.toFixed(digits)}, worst ${d.min.toFixed(digits)}`;
  return [
    ...(psnr ? [['PSNR', text(psnr, 1, ' dB')] as const] : []),
    ...(ssim ? [['SSIM', text(ssim, 4, '')] as const] : []),
  ];
}

function stageText(stages: NonNullable<MigrationReport['stages']>): string {
  return Object.entries(stages)
    .map(([stage, ms]) => `${stage} ${Math.round(Number(ms))} ms`)
    .join(', ');
}

const LABEL_WIDTH = 22;

function table(rows: readonly Row[]): string {
  return rows.map(([label, value]) => `${label.padEnd(LABEL_WIDTH)} ${value}\n`).join('');
}

function count(value: number): string {
  return value.toLocaleString('en');
}
