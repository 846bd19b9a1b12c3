/** What a migration would bring, from a sample: bytes saved, time, and when the device's cost has paid for itself. */
import type { ObjectOutcome } from './outcome.js';
import { distribution, type Distribution } from './statistics.js';

export interface SampledObject {
  /** Bytes as listed. */
  readonly size: number;
  readonly outcome: ObjectOutcome;
}

export interface ForecastPrices {
  /** Dollars per gigabyte (10^9 bytes) and month. */
  readonly storagePerGbMonth: number;
  /** Dollars per hour of the machine that converts. */
  readonly devicePerHour: number;
}

export interface Forecast {
  readonly objects: number;
  readonly bytes: number;
  readonly sampled: number;
  /** Objects that would be converted. */
  readonly converted: number;
  readonly savedBytes: number;
  /** Of all bytes of the location, from 0 to 1. */
  readonly savedShare: number;
  /** Standard error of `savedShare`. */
  readonly savedShareError: number;
  readonly psnr: Distribution | undefined;
  readonly ssim: Distribution | undefined;
  /** Objects that would stay as they are, by reason. */
  readonly verbatim: Readonly<Record<string, number>>;
  /** Of the whole run at the sample's pace. */
  readonly seconds: number;
  /** Dollars, once. */
  readonly deviceCost: number;
  /** Dollars. */
  readonly savedPerMonth: number;
  /** Until the saving has paid for the device; null: never. */
  readonly monthsToPay: number | null;
}

export interface ForecastInput {
  readonly sample: readonly SampledObject[];
  readonly total: { readonly objects: number; readonly bytes: number };
  /** Wall-clock seconds that the sample took. */
  readonly sampleSeconds: number;
  readonly prices: ForecastPrices;
}

const SECONDS_PER_HOUR = 3600;
const BYTES_PER_GB = 1e9;

/** Ratio estimates: savings and time scale with listed bytes, counts with objects (Cochran, Sampling Techniques, ch. 6). */
export function forecast({ sample, total, sampleSeconds, prices }: ForecastInput): Forecast {
  const sampledBytes = sum(sample.map(({ size }) => size));
  const saved = sample.map(({ outcome }) =>
    outcome.kind === 'converted' ? outcome.bytesBefore - outcome.bytesAfter : 0,
  );
  const savedShare = sampledBytes === 0 ? 0 : sum(saved) / sampledBytes;
  const perObject = sample.length === 0 ? 0 : total.objects / sample.length;
  const perByte = sampledBytes === 0 ? 0 : total.bytes / sampledBytes;
  const converted = sample.flatMap(({ outcome }) => (outcome.kind === 'converted' ? [outcome] : []));
  const seconds = sampleSeconds * perByte;
  const savedBytes = savedShare * total.bytes;
  const deviceCost = (seconds / SECONDS_PER_HOUR) * prices.devicePerHour;
  const savedPerMonth = (savedBytes / BYTES_PER_GB) * prices.storagePerGbMonth;
  return {
    objects: total.objects,
    bytes: total.bytes,
    sampled: sample.length,
    converted: Math.round(converted.length * perObject),
    savedBytes: Math.round(savedBytes),
    savedShare,
    savedShareError: ratioError(sample, saved, savedShare, total.objects),
    psnr: distribution(converted.flatMap(({ psnr }) => (psnr === null ? [] : [psnr]))),
    ssim: distribution(converted.map(({ ssim }) => ssim)),
    verbatim: scaled(sample, perObject),
    seconds,
    deviceCost,
    savedPerMonth,
    monthsToPay: savedPerMonth > 0 ? deviceCost / savedPerMonth : null,
  };
}

/** Standard error of a ratio estimate, with the correction for a finite population. */
function ratioError(
  sample: readonly SampledObject[],
  saved: readonly number[],
  ratio: number,
  objects: number,
): number {
  const n = sample.length;
  if (n < 2 || objects <= n) return 0;
  const meanSize = sum(sample.map(({ size }) => size)) / n;
  const squares = sum(sample.map(({ size }, i) => ((saved[i] ?? 0) - ratio * size) ** 2));
  return meanSize === 0 ? 0 : Math.sqrt(((1 - n / objects) * squares) / (n * (n - 1))) / meanSize;
}

function scaled(sample: readonly SampledObject[], factor: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of sample) {
    const reason =
      outcome.kind === 'verbatim' ? outcome.reason : outcome.kind === 'converted' ? undefined : outcome.kind;
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([reason, count]) => [reason, Math.round(count * factor)]));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
