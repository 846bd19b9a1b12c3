/** The bundled model at work in a real pipeline and converter, for tests of everything that stands on them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConversionPool } from '../../conversion/index.js';
import { ByteSemaphore, createDecodePipeline, type DecodePipeline } from '../../decode/index.js';
import type { InstalledModel } from '../../models/installed-model.js';
import { loadModels } from '../../models/load-models.js';
import { packagePath } from '../../package-root.js';

const CAPACITY_BYTES = 256 << 20;

export interface BundledDecoding {
  /** A folder that is removed at the end. */
  readonly root: string;
  readonly models: InstalledModel[];
  readonly pipeline: DecodePipeline;
  readonly converter: ConversionPool;
  close(): Promise<void>;
}

export async function startBundledDecoding(): Promise<BundledDecoding> {
  const root = await mkdtemp(join(tmpdir(), 'latentbox-latents-'));
  const models = await loadModels({
    directories: [packagePath('models/bundled')],
    cacheDirectory: join(root, 'models'),
  });
  const memory = new ByteSemaphore({ capacity: CAPACITY_BYTES, maxWaiting: 64 });
  const pipeline = createDecodePipeline({
    models,
    providers: ['cpu'],
    threads: 1,
    codecWorkers: 1,
    queueDepth: 64,
    memory,
  });
  await pipeline.start();
  const converter = new ConversionPool({ pipeline, models, concurrency: 2, maxWaiting: 8 });
  return {
    root,
    models,
    pipeline,
    converter,
    close: async () => {
      await converter.close();
      await pipeline.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
