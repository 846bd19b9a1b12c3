/** How near the search comes to pictures that each decoder made itself, against its encoder alone, and how many convert. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DEFAULT_OPTIONS,
  NEVER,
  redecoded,
  startConverter,
  type StartedConverter,
} from '../../src/conversion/testing/started-converter.js';
import type { BenchRow } from '../row.js';
import { addTinyModels, hasSharedData, SHARED_PICTURES } from './pictures.js';

/** Parts of real pictures: faces, texture, sky, line art; sides that are multiples of 8 and that are not. */
const CROPS = [
  { file: 'sd3-sd3.5_simple_example.png', left: 400, top: 420, width: 75, height: 61 },
  { file: 'flux-flux_dev_example.png', left: 430, top: 300, width: 64, height: 64 },
  { file: 'sdxl-sdxl_simple_example.png', left: 480, top: 480, width: 70, height: 66 },
  { file: 'flux2-flux2_example.png', left: 300, top: 600, width: 96, height: 48 },
  { file: 'qwen_image-qwen_image_basic_example.png', left: 600, top: 300, width: 59, height: 81 },
] as const;
/** Steps by model: where the search gets stuck, fewer say little. */
const STEPS = { bundled: [40, 120], taesd3: [40, 120], taef2: [40, 120], taef1: [120], taesdxl: [120] } as const;

export async function* benchRecovery(): AsyncIterable<BenchRow> {
  if (!hasSharedData) {
    process.stderr.write('recovery: skipped, ../shared/data is absent\n');
    return;
  }
  const work = await mkdtemp(join(tmpdir(), 'latentbox-recovery-'));
  const names = Object.keys(STEPS) as (keyof typeof STEPS)[];
  const tiny = names.filter((name) => name !== 'bundled');
  const started = await startConverter([await addTinyModels(work, tiny)]);
  try {
    for (const name of names) yield* recoveryOf(started, name);
  } finally {
    await started.close();
    await rm(work, { recursive: true });
  }
}

async function* recoveryOf(started: StartedConverter, name: keyof typeof STEPS): AsyncIterable<BenchRow> {
  const encoder: number[] = [];
  const pngs: Uint8Array[] = [];
  for (const crop of CROPS) {
    const png = await redecoded(started, name, await readFile(join(SHARED_PICTURES, crop.file)), crop);
    pngs.push(png);
    encoder.push((await convert(started, name, png, 0)).psnr);
  }
  for (const steps of STEPS[name]) {
    const found = [];
    for (const png of pngs) found.push(await convert(started, name, png, steps));
    const psnrs = found.map(({ psnr }) => psnr);
    const converted = found.filter(({ kind }) => kind === 'latent').length;
    const common = { bench: 'recovery', unit: 'dB', versus: 'no gradient' };
    const label = `${name}, ${steps} steps, ${converted} of ${found.length} converted at 38 dB`;
    for (const [statistic, of] of [
      ['mean', (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length],
      ['worst', (values: number[]) => Math.min(...values)],
    ] as const) {
      const [ours, peer] = [of(psnrs), of(encoder)];
      yield { ...common, case: `${label}: ${statistic}`, ours, peer, ratio: ours / peer };
    }
  }
}

async function convert(
  { converter }: StartedConverter,
  model: string,
  png: Uint8Array,
  refineSteps: number,
): Promise<{ readonly kind: string; readonly psnr: number }> {
  const { kind, measured } = await converter.convert(png, { ...DEFAULT_OPTIONS, models: [model], refineSteps }, NEVER);
  return { kind, psnr: measured?.psnr ?? 0 };
}
