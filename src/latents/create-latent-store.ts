/** Puts the latent store together from its parts. */
import { S3Error } from '../../s3-api/index.js';
import type { PolicyConfig } from '../config/schema.js';
import type { PictureConverter } from '../conversion/index.js';
import type { BackingStore } from '../stores/backing-store.js';
import { ByteSemaphore, type DecodePipeline } from '../decode/index.js';
import type { InstalledModel } from '../models/installed-model.js';
import { KeyEpochs } from '../routing/key-epochs.js';
import { FactsIndex } from './facts-index.js';
import { ImageRenderer } from './image-renderer.js';
import { ImageSource, type ImageCache } from './image-source.js';
import { IngestPool } from './ingest-pool.js';
import { LatentRefetch } from './latent-refetch.js';
import { LatentListing } from './latent-listing.js';
import { LatentStore } from './latent-store.js';
import { LatentWriter } from './latent-writer.js';
import { PngEncoding, type ConversionObserver } from './png-encoding.js';
import { Policies } from './policies.js';
import { RecentVerbatim } from './recent-verbatim.js';
import { Representations } from './representations.js';
import type { ReadObserver } from './stored-image.js';

export interface LatentStoreOptions {
  readonly backing: BackingStore;
  readonly cache: ImageCache;
  /** Tier that a stored latent enters. */
  readonly cacheOnPut: 'image' | 'latent' | 'none';
  readonly models: readonly InstalledModel[];
  readonly defaultModel: string | undefined;
  readonly pipeline: DecodePipeline;
  readonly converter: PictureConverter;
  readonly policies: readonly PolicyConfig[];
  /** Folder of the LIST facts. */
  readonly stateDirectory: string;
  /** Largest upload that is looked at as a latent, in bytes. */
  readonly maxLatentBytes: number;
  /** Largest PNG that is encoded, in bytes. */
  readonly maxPngBytes: number;
  /** Largest picture, in pixels. */
  readonly maxPixels: number;
  /** Bytes of all uploads that are held at once; apart from the pipeline's, since an upload waits for a render. */
  readonly uploadBytesInFlight: number;
  readonly observer: ReadObserver & ConversionObserver & { written(storage: 'latent' | 'verbatim'): void };
}

export interface CreatedLatentStore {
  readonly store: LatentStore;
  readonly source: ImageSource;
  readonly refetch: LatentRefetch;
  /** To be closed after the store's last use. */
  readonly owned: readonly { close(): Promise<void> }[];
}

/** Uploads that may wait for memory before they are told to slow down. */
const MAX_WAITING_UPLOADS = 1024;
/** A container is a compressed latent and its PNG chunks: never larger than this many times the largest upload. */
const CONTAINER_FACTOR = 2;

export async function createLatentStore(options: LatentStoreOptions): Promise<CreatedLatentStore> {
  const { backing, cache, pipeline, observer, maxLatentBytes } = options;
  const index = await FactsIndex.open(options.stateDirectory);
  const ingest = new IngestPool();
  const renderer = new ImageRenderer(pipeline);
  const epochs = new KeyEpochs();
  const source = new ImageSource({
    backing,
    cache,
    epochs,
    index,
    renderer,
    decoderClass: (model) => decoderClassOf(pipeline, model),
    maxContainerBytes: maxLatentBytes * CONTAINER_FACTOR,
    clock: () => performance.now(),
  });
  const refetch = new LatentRefetch({ backing, cache, epochs, maxContainerBytes: maxLatentBytes * CONTAINER_FACTOR });
  const models = options.models.map(({ name, latentChannels, spatialFactor, encoder }) => {
    return { name, latentChannels, spatialFactor, encodes: encoder !== undefined };
  });
  const { defaultModel, maxPixels, converter } = options;
  const encoding = new PngEncoding({ converter, ingest, renderer, models, defaultModel, maxPixels, observer });
  const writer = new LatentWriter({
    backing,
    cache,
    cacheOnPut: options.cacheOnPut,
    epochs,
    index,
    ingest,
    encoding,
    policies: new Policies(options.policies),
    renderer,
    source,
    memory: new ByteSemaphore({ capacity: options.uploadBytesInFlight, maxWaiting: MAX_WAITING_UPLOADS }),
    models,
    defaultModel,
    maxPixels,
    maxLatentBytes,
    maxPngBytes: options.maxPngBytes,
    onStored: (storage) => observer.written(storage),
  });
  const listing = new LatentListing(backing, index, source);
  const store = new LatentStore({
    backing,
    source,
    writer,
    listing,
    recentVerbatim: new RecentVerbatim(),
    representations: new Representations(source),
    observer,
  });
  return { store, source, refetch, owned: [refetch, ingest, index] };
}

/** Undefined where the model is not installed, or runs nowhere now. */
function decoderClassOf(pipeline: DecodePipeline, model: string): string | undefined {
  try {
    return pipeline.decoderClass(model);
  } catch (error) {
    if (error instanceof S3Error) return undefined;
    throw error;
  }
}
