/** Size, PSNR and SSIM of what each policy stores, beside JPEG and WebP at fixed qualities and at equal size. */
import sharp from 'sharp';
import { psnr, ssim } from '../../src/conversion/fidelity.js';
import {
  DEFAULT_OPTIONS,
  NEVER,
  startConverter,
  type StartedConverter,
} from '../../src/conversion/testing/started-converter.js';
import type { BenchRow } from '../row.js';
import { pictureSets, type BenchPicture, type PictureSet } from './pictures.js';

/** What a way to store a picture made of it. */
interface Stored {
  readonly bytes: number;
  /** dB; equal pixels count as {@link LOSSLESS_DB}, so that means stay finite. */
  readonly psnr: number;
  readonly ssim: number;
}

/** More than any 8-bit picture with one wrong sample has at these sizes. */
const LOSSLESS_DB = 100;
const QUALITIES = [50, 80, 95];
const POLICIES = [
  { name: 'encode, no gradient', refineSteps: 0 },
  { name: 'encode, 40 steps', refineSteps: 40 },
];

export async function* benchFidelity(): AsyncIterable<BenchRow> {
  const started = await startConverter();
  try {
    for (const set of await pictureSets(started)) {
      for (const policy of POLICIES) yield* comparePolicy(started, set, policy);
    }
  } finally {
    await started.close();
  }
}

async function* comparePolicy(
  started: StartedConverter,
  set: PictureSet,
  policy: (typeof POLICIES)[number],
): AsyncIterable<BenchRow> {
  const ours: Stored[] = [];
  let converted = 0;
  for (const picture of set.pictures) {
    const options = { ...DEFAULT_OPTIONS, models: ['bundled'], refineSteps: policy.refineSteps };
    const conversion = await started.converter.convert(picture.png, options, NEVER);
    if (conversion.kind === 'latent') converted++;
    ours.push(
      conversion.kind === 'latent'
        ? { bytes: conversion.container.byteLength, ...measuredOf(conversion.measured) }
        : { bytes: picture.png.byteLength, psnr: LOSSLESS_DB, ssim: 1 },
    );
  }
  const name = `${set.name} (${converted} of ${set.pictures.length} converted), ${policy.name}`;
  const pngs = set.pictures.map(({ png }): Stored => ({ bytes: png.byteLength, psnr: LOSSLESS_DB, ssim: 1 }));
  yield size(name, ours, pngs, 'the uploaded PNG');
  for (const format of ['jpeg', 'webp'] as const) {
    for (const quality of QUALITIES) {
      const peer = await Promise.all(set.pictures.map((picture) => lossy(picture, format, quality)));
      yield* rows(name, ours, peer, `${format} q${quality}`);
    }
    const equal = await Promise.all(set.pictures.map((picture, i) => ofSize(picture, format, ours[i]?.bytes ?? 0)));
    yield* rows(name, ours, equal, `${format} of equal size`);
  }
}

function measuredOf({ psnr: reached, ssim: similar }: { psnr: number; ssim: number }): Pick<Stored, 'psnr' | 'ssim'> {
  return { psnr: Math.min(LOSSLESS_DB, reached), ssim: similar };
}

async function lossy(
  { pixels, width, height }: BenchPicture,
  format: 'jpeg' | 'webp',
  quality: number,
): Promise<Stored> {
  const file = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .toFormat(format, { quality })
    .toBuffer();
  const decoded = await sharp(file).raw().toBuffer();
  return {
    bytes: file.byteLength,
    psnr: Math.min(LOSSLESS_DB, psnr(decoded, pixels)),
    ssim: ssim(decoded, pixels, width, height),
  };
}

/** The best quality whose file is no larger; quality 1 where even that one is. */
async function ofSize(picture: BenchPicture, format: 'jpeg' | 'webp', bytes: number): Promise<Stored> {
  let best = await lossy(picture, format, 1);
  for (let low = 2, high = 100; low <= high;) {
    const quality = (low + high) >> 1;
    const stored = await lossy(picture, format, quality);
    if (stored.bytes <= bytes) {
      best = stored;
      low = quality + 1;
    } else high = quality - 1;
  }
  return best;
}

function* rows(name: string, ours: readonly Stored[], peer: readonly Stored[], versus: string): Generator<BenchRow> {
  yield size(name, ours, peer, versus);
  for (const [unit, value] of [
    ['dB', (stored: Stored) => stored.psnr],
    ['SSIM', (stored: Stored) => stored.ssim],
  ] as const) {
    const mine = ours.map(value).toSorted((a, b) => a - b);
    const theirs = peer.map(value).toSorted((a, b) => a - b);
    for (const [statistic, of] of STATISTICS) {
      const [a, b] = [of(mine), of(theirs)];
      yield { bench: 'fidelity', case: `${name}: ${statistic}`, ours: a, peer: b, unit, ratio: a / b, versus };
    }
  }
}

function size(name: string, ours: readonly Stored[], peer: readonly Stored[], versus: string): BenchRow {
  const [a, b] = [ours, peer].map((all) => mean(all.map(({ bytes }) => bytes)));
  const of = { ours: Math.round(a ?? 0), peer: Math.round(b ?? 0) };
  return { bench: 'fidelity', case: `${name}: mean size`, ...of, unit: 'B', ratio: of.peer / of.ours, versus };
}

/** Of values in ascending order. */
const STATISTICS: readonly (readonly [string, (sorted: readonly number[]) => number])[] = [
  ['mean', mean],
  ['lower quartile', (sorted) => quantile(sorted, 0.25)],
  ['median', (sorted) => quantile(sorted, 0.5)],
  ['upper quartile', (sorted) => quantile(sorted, 0.75)],
  ['worst', (sorted) => sorted[0] ?? NaN],
];

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Linear interpolation between the two nearest ranks. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  return low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? NaN) - low);
}
