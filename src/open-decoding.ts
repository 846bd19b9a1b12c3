/** The installed models and the pipeline that decodes them, as the configuration names them. */
import { join } from 'node:path';
import { stateDirectory } from './config/load.js';
import type { Config } from './config/schema.js';
import { ByteSemaphore, createDecodePipeline, type DecodeObserver, type DecodePipeline } from './decode/index.js';
import type { InstalledModel } from './models/installed-model.js';
import { loadModels } from './models/load-models.js';
import { packagePath } from './package-root.js';

/** Requests that may wait for memory before they are told to slow down. */
const MAX_WAITING_FOR_MEMORY = 1024;
const MS_PER_SECOND = 1000;

export interface Decoding {
  readonly models: InstalledModel[];
  /** To be started, and closed, by whoever opened it. */
  readonly pipeline: DecodePipeline;
  /** Bounds the bytes in flight. */
  readonly memory: ByteSemaphore;
}

/**
 * @param queueDepth decodes that may wait
 * @throws ModelError where an installed model is broken
 */
export async function openDecoding(
  config: Config,
  { queueDepth = config.decode.queueDepth, observer }: { queueDepth?: number; observer?: DecodeObserver } = {},
): Promise<Decoding> {
  const models = await loadModels({
    directories: [packagePath('models/bundled'), ...[config.models.path ?? []].flat()],
    cacheDirectory: join(stateDirectory(config), 'models'),
  });
  const { decode, limits } = config;
  const memory = new ByteSemaphore({ capacity: decode.bytesInFlight, maxWaiting: MAX_WAITING_FOR_MEMORY });
  const pipeline = createDecodePipeline({
    models,
    providers: decode.providers,
    threads: decode.threads,
    codecWorkers: decode.codecWorkers,
    queueDepth,
    maxPixels: limits.imagePixels,
    memory,
    ...(decode.kserve && { kserve: kserveOptions(decode.kserve) }),
    ...(observer && { observer }),
  });
  return { models, pipeline, memory };
}

function kserveOptions({ endpoints, models, concurrency, deadlineSeconds }: NonNullable<Config['decode']['kserve']>) {
  const remote = Object.entries(models).map(([model, { name, version }]) => [
    model,
    { name, ...(version !== undefined && { version }) },
  ]);
  return {
    endpoints,
    models: Object.fromEntries(remote) as Record<string, { name: string; version?: string }>,
    concurrency,
    deadlineMs: deadlineSeconds * MS_PER_SECOND,
  };
}
