/** The model, the containers and the pipeline that the decode benchmarks share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecodeOptions, DecodePipeline } from '../../src/decode/index.js';
import { ByteSemaphore, createDecodePipeline } from '../../src/decode/index.js';
import { testContainer } from '../../src/decode/testing/test-container.js';
import type { InstalledModel } from '../../src/models/index.js';
import { loadModel, standInParts, writeModelFolder } from '../../src/models/index.js';

/** Threads of one inference, ours and the peer's alike. */
export const THREADS = 2;
/** Benchmarks run compiled, from `dist/bench/decode`. */
export const REPOSITORY: string = join(import.meta.dirname, '../../..');
const BUNDLED_MODEL = join(REPOSITORY, 'models/bundled');

export interface BenchModel {
  readonly model: InstalledModel;
  /** Removes its files. */
  readonly close: () => Promise<void>;
}

/** The bundled model, prepared in a folder that goes away with `close`. */
export async function benchModel(): Promise<BenchModel> {
  const cache = await mkdtemp(join(tmpdir(), 'latentbox-bench-'));
  return { model: await loadModel(BUNDLED_MODEL, cache), close: () => rm(cache, { recursive: true }) };
}

/** Seeded weights in the shape of SD 3.5's VAE: what a full decoder costs. */
export async function standInModel(): Promise<BenchModel> {
  const folder = await mkdtemp(join(tmpdir(), 'latentbox-bench-'));
  const path = join(folder, 'stand-in-sd35');
  await writeModelFolder(path, standInParts('sd35', 'f32', 1));
  return { model: await loadModel(path, join(folder, 'cache')), close: () => rm(folder, { recursive: true }) };
}

/** A started pipeline on the CPU. */
export async function benchPipeline(
  model: InstalledModel,
  options: Partial<DecodeOptions> = {},
): Promise<DecodePipeline> {
  const pipeline = createDecodePipeline({
    models: [model],
    providers: ['cpu'],
    threads: THREADS,
    codecWorkers: 1,
    queueDepth: 256,
    memory: new ByteSemaphore({ capacity: 1 << 29, maxWaiting: 4096 }),
    ...options,
  });
  await pipeline.start();
  return pipeline;
}

/** A seeded latent of a picture of `width` × `height`. */
export function benchContainer(model: InstalledModel, width: number, height: number, seed = 1): Uint8Array {
  return testContainer({
    model: model.name,
    channels: model.latentChannels,
    factor: model.spatialFactor,
    width,
    height,
    seed,
  });
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export const NEVER: AbortSignal = new AbortController().signal;
