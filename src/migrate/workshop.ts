/** Everything a migration works with, opened straight on the backing store: no gateway has to run. */
import { S3Error } from '../../s3-api/index.js';
import { openBackingStore, type OpenedBackingStore } from '../backing-store.js';
import { stateDirectory } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { ConversionPool } from '../conversion/index.js';
import type { DecodePipeline } from '../decode/index.js';
import { ImageRenderer } from '../latents/image-renderer.js';
import { IngestPool } from '../latents/ingest-pool.js';
import { PngEncoding } from '../latents/png-encoding.js';
import type { Policy } from '../latents/policies.js';
import { openDecoding } from '../open-decoding.js';
import type { ObjectConverter } from './object-converter.js';
import { PolicyConverter } from './policy-converter.js';

export interface Workshop {
  readonly store: OpenedBackingStore;
  readonly renderer: ImageRenderer;
  readonly pipeline: DecodePipeline;
  /** Folder of journals. */
  readonly state: string;
  converter(policyFor: (key: string) => Policy): ObjectConverter;
  /** Undefined where the model is not installed, or runs nowhere. */
  decoderClass(model: string): string | undefined;
  close(): Promise<void>;
}

/** A container is a compressed latent and its PNG chunks: never larger than this many times the largest upload. */
const CONTAINER_FACTOR = 2;

export function maxContainerBytes({ limits }: Config): number {
  return limits.latentBytes * CONTAINER_FACTOR;
}

/** @param concurrency pictures in work at once */
export async function openWorkshop(config: Config, concurrency: number): Promise<Workshop> {
  const state = stateDirectory(config);
  const { models: installed, pipeline } = await openDecoding(config, {
    queueDepth: Math.max(config.decode.queueDepth, concurrency * 2),
  });
  const store = await openBackingStore(config);
  await pipeline.start();
  const ingest = new IngestPool();
  const renderer = new ImageRenderer(pipeline);
  const pool = new ConversionPool({ pipeline, models: installed, concurrency, maxWaiting: concurrency });
  const models = installed.map(({ name, latentChannels, spatialFactor, encoder }) => {
    return { name, latentChannels, spatialFactor, encodes: encoder !== undefined };
  });
  const encoding = new PngEncoding({
    converter: pool,
    ingest,
    renderer,
    models,
    defaultModel: config.models.default,
    maxPixels: config.limits.imagePixels,
    observer: { converted: () => undefined },
  });
  return {
    store,
    renderer,
    pipeline,
    state,
    converter: (policyFor) => new PolicyConverter({ encoding, policyFor, models }),
    decoderClass: (model) => {
      try {
        return pipeline.decoderClass(model);
      } catch (error) {
        if (error instanceof S3Error) return undefined;
        throw error;
      }
    },
    close: async () => {
      await pool.close();
      await ingest.close();
      await pipeline.close();
      await store.close();
    },
  };
}
