/** The models that everybody has decode to the same bits: run to run, process to process, and after a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstalledModel } from '../models/index.js';
import { loadModel, standInParts, writeModelFolder } from '../models/index.js';
import { packagePath } from '../package-root.js';
import { ByteSemaphore } from './byte-semaphore.js';
import type { DecodePipeline } from './pipeline-contract.js';
import { createDecodePipeline } from './pipeline.js';
import { testContainer } from './testing/test-container.js';

const TIMEOUT_MS = 300_000;
const NEVER = new AbortController().signal;
/** Of the picture: the bundled decoder is small, the stand-in has the published decoder's 49.5 million parameters. */
const SIDES = { bundled: 200, 'stand-in': 64 } as const;

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'latentbox-bits-'));
});
afterAll(() => rm(work, { recursive: true }));

async function modelNamed(name: keyof typeof SIDES): Promise<InstalledModel> {
  const cache = join(work, 'cache');
  if (name === 'bundled') return loadModel(packagePath('models/bundled'), cache);
  const folder = join(work, name);
  await writeModelFolder(folder, standInParts('sd35', 'f32', 1));
  return loadModel(folder, cache);
}

async function started(model: InstalledModel): Promise<DecodePipeline> {
  const pipeline = createDecodePipeline({
    models: [model],
    providers: ['cpu'],
    cpuProcesses: 2,
    threads: 2,
    codecWorkers: 1,
    queueDepth: 64,
    memory: new ByteSemaphore({ capacity: 1 << 28, maxWaiting: 64 }),
  });
  await pipeline.start();
  return pipeline;
}

describe('decoding on one provider', () => {
  it.each(['bundled', 'stand-in'] as const)(
    'gives the same bits run to run, worker to worker and after a restart: the %s model',
    async (name) => {
      const model = await modelNamed(name);
      const side = SIDES[name];
      const { latentChannels: channels, spatialFactor: factor } = model;
      const container = testContainer({ model: model.name, channels, factor, width: side, height: side });
      const rendered: Uint8Array[] = [];
      let pipeline = await started(model);
      try {
        const renders = Array.from({ length: 4 }, () => pipeline.render({ model: model.name, container }, NEVER));
        rendered.push(...(await Promise.all(renders)).map(({ png }) => png));
        const [device] = pipeline.status();
        process.kill(device?.pid ?? Number.NaN, 'SIGKILL');
        await expect
          .poll(() => pipeline.status()[0], { timeout: TIMEOUT_MS })
          .toMatchObject({ state: 'ready', restarts: 1 });
        const again = Array.from({ length: 2 }, () => pipeline.render({ model: model.name, container }, NEVER));
        rendered.push(...(await Promise.all(again)).map(({ png }) => png));
      } finally {
        await pipeline.close();
      }
      pipeline = await started(model);
      try {
        rendered.push((await pipeline.render({ model: model.name, container }, NEVER)).png);
      } finally {
        await pipeline.close();
      }
      const [first = new Uint8Array()] = rendered;
      expect(rendered.map((png) => Buffer.compare(png, first))).toEqual(Array.from({ length: 7 }, () => 0));
    },
    TIMEOUT_MS,
  );
});
