/** The one place that wires the parts together: from a configuration to a gateway that starts, serves and closes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createS3Api, S3Error, staticCredentials, type AccessRecord, type S3Api } from '../s3-api/index.js';
import { AdminServer } from './admin/admin-server.js';
import { Metrics } from './admin/metrics.js';
import { openBackingStore, type BackingStore } from './backing-store.js';
import { DualFormatCache } from './cache/dual-format-cache.js';
import { developmentCredentials, type AccessKey } from './config/development-credentials.js';
import { stateDirectory } from './config/load.js';
import type { Config } from './config/schema.js';
import { ByteSemaphore, createDecodePipeline, describePlacement, type DecodePipeline } from './decode/index.js';
import { FactsIndex } from './latents/facts-index.js';
import { ImageRenderer } from './latents/image-renderer.js';
import { ImageSource } from './latents/image-source.js';
import { IngestPool } from './latents/ingest-pool.js';
import { LatentListing } from './latents/latent-listing.js';
import { LatentStore } from './latents/latent-store.js';
import { LatentWriter } from './latents/latent-writer.js';
import { Policies } from './latents/policies.js';
import { RecentVerbatim } from './latents/recent-verbatim.js';
import type { CachedImage, CachedLatent } from './latents/stored-image.js';
import { loadModels } from './models/load-models.js';
import { packagePath } from './package-root.js';
import { KeyEpochs } from './routing/key-epochs.js';

/** Share of the image tier while nothing moves the border: near the best fixed one of the published traces. */
const FIXED_ALPHA = 0.7;
/** Requests that may wait for memory before they are told to slow down. */
const MAX_WAITING_FOR_MEMORY = 1024;
/** A container is a compressed latent and its PNG chunks: never larger than this many times the largest upload. */
const CONTAINER_FACTOR = 2;
const MS_PER_SECOND = 1000;

export interface GatewayEndpoints {
  readonly endpoint: string;
  readonly adminEndpoint: string;
}

export class Gateway {
  #ready = false;

  private constructor(
    private readonly config: Config,
    private readonly log: Logger,
    /** The credential that clients of a development gateway use. */
    readonly firstCredential: AccessKey,
    /** Where the development credentials lie; absent where the configuration has credentials. */
    readonly developmentCredentialsFile: string | undefined,
    private readonly api: S3Api,
    private readonly admin: AdminServer,
    private readonly pipeline: DecodePipeline,
    private readonly owned: readonly { close(): Promise<void> }[],
    private readonly readiness: { notReady: () => readonly string[] },
  ) {
    this.readiness.notReady = () => (this.#ready ? [] : ['the gateway is starting or stopping']);
  }

  /**
   * Opens stores and databases, loads the models; nothing listens yet.
   *
   * @throws ModelError, or what opening the stores throws
   */
  static async create(
    config: Config,
    { credential, log }: { readonly credential: AccessKey | undefined; readonly log: Logger },
  ): Promise<Gateway> {
    const state = stateDirectory(config);
    const configured = config.credentials.length > 0 || credential !== undefined;
    const development = configured ? undefined : await developmentCredentials(state);
    const first = credential ?? development;
    const credentials = [
      ...(first
        ? [{ name: 'first', accessKeyId: first.accessKeyId, secretAccessKey: first.secretAccessKey, allow: ALLOW_ALL }]
        : []),
      ...config.credentials.map(({ sessionToken, ...rest }) => ({
        ...rest,
        ...(sessionToken !== undefined && { sessionToken }),
      })),
    ];
    const firstCredential = credentials[0];
    if (!firstCredential) throw new Error('no credential is configured');

    const models = await loadModels({
      directories: [packagePath('models/bundled'), ...[config.models.path ?? []].flat()],
      cacheDirectory: join(state, 'models'),
    });
    const backing = await openBackingStore(config);
    const metrics = new Metrics();
    const memory = new ByteSemaphore({ capacity: config.decode.bytesInFlight, maxWaiting: MAX_WAITING_FOR_MEMORY });
    const pipeline = createDecodePipeline({
      models,
      providers: config.decode.providers,
      threads: config.decode.threads,
      codecWorkers: config.decode.codecWorkers,
      queueDepth: config.decode.queueDepth,
      maxPixels: config.limits.imagePixels,
      memory,
      observer: { onEvent: (event, device, detail) => log.warn({ event, device }, detail) },
    });
    const cache = new DualFormatCache<CachedImage, CachedLatent>({
      capacityBytes: config.cache.bytes,
      alpha: config.cache.alpha === 'auto' ? FIXED_ALPHA : config.cache.alpha,
      promotionHits: config.cache.promotionHits,
    });
    const { store, source, owned } = await buildLatentStore({
      config,
      backing,
      cache,
      models,
      pipeline,
      metrics,
      state,
    });
    metrics.observe({
      cache: () => cache.statistics(),
      devices: () => pipeline.status().map(({ id, queued, busyFraction }) => ({ device: id, queued, busyFraction })),
      inFlight: () => source.inFlight,
      bytesInFlight: () => memory.held,
    });
    const { s3 } = config;
    const api = createS3Api({
      store,
      credentials: staticCredentials(credentials, config.anonymous),
      region: s3.region,
      domains: s3.domains,
      externalUrls: s3.externalUrls.map((url) => new URL(url)),
      limits: { maxConnections: s3.maxConnections },
      onFinished: (record) => recordRequest(record, metrics, log),
    });
    const readiness = { notReady: (): readonly string[] => [] };
    const admin = new AdminServer({
      ...config.admin,
      registry: metrics.registry,
      notReady: () => readiness.notReady(),
    });
    return new Gateway(
      config,
      log,
      firstCredential,
      development?.file,
      api,
      admin,
      pipeline,
      [...owned, backing],
      readiness,
    );
  }

  /** Starts the decoder and both servers. */
  async start(): Promise<GatewayEndpoints> {
    const { s3 } = this.config;
    await this.pipeline.start();
    for (const placement of this.pipeline.placements()) this.log.info(describePlacement(placement));
    const tls = s3.tls && { key: await readFile(s3.tls.key), cert: await readFile(s3.tls.certificate) };
    const adminEndpoint = await this.admin.start();
    const { port } = await this.api.listen({ host: s3.host, port: s3.port, ...(tls && { tls }) });
    this.#ready = true;
    const host = s3.host.includes(':') ? `[${s3.host}]` : s3.host;
    return { endpoint: `${tls ? 'https' : 'http'}://${host}:${port}`, adminEndpoint };
  }

  /** Readiness off, requests in flight end, then everything that was opened is closed, in reverse. */
  async close(): Promise<void> {
    this.#ready = false;
    await this.api.close(this.config.s3.drainSeconds * MS_PER_SECOND);
    await this.pipeline.close();
    for (const part of this.owned) await part.close();
    await this.admin.close();
  }
}

const ALLOW_ALL = [{ actions: ['*'], resources: ['*'] }];

interface LatentStoreDeps {
  readonly config: Config;
  readonly backing: BackingStore;
  readonly cache: DualFormatCache<CachedImage, CachedLatent>;
  readonly models: Awaited<ReturnType<typeof loadModels>>;
  readonly pipeline: DecodePipeline;
  readonly metrics: Metrics;
  readonly state: string;
}

async function buildLatentStore({ config, backing, cache, models, pipeline, metrics, state }: LatentStoreDeps) {
  const index = await FactsIndex.open(state);
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
    maxContainerBytes: config.limits.latentBytes * CONTAINER_FACTOR,
    clock: () => performance.now(),
  });
  const writer = new LatentWriter({
    backing,
    cache,
    cacheOnPut: config.cache.onPut,
    epochs,
    index,
    ingest,
    policies: new Policies(config.policies),
    renderer,
    source,
    // Apart from the pipeline's: an upload waits for a render while it holds its own bytes.
    memory: new ByteSemaphore({ capacity: config.decode.bytesInFlight, maxWaiting: MAX_WAITING_FOR_MEMORY }),
    models,
    defaultModel: config.models.default,
    maxPixels: config.limits.imagePixels,
    maxLatentBytes: config.limits.latentBytes,
    onStored: (storage) => metrics.written(storage),
  });
  const listing = new LatentListing(backing, index, source);
  const store = new LatentStore({
    backing,
    source,
    writer,
    listing,
    recentVerbatim: new RecentVerbatim(),
    observer: metrics,
  });
  return { store, source, owned: [ingest, index] };
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

function recordRequest(record: AccessRecord, metrics: Metrics, log: Logger): void {
  const { operation, status, durationMs, errorCode, cause, startedAt: _inTheLogAnyway, ...rest } = record;
  metrics.request(operation, status, durationMs / MS_PER_SECOND, errorCode);
  const entry = { ...rest, operation, status, durationMs, ...(errorCode !== undefined && { errorCode }) };
  if (status >= 500) log.error({ ...entry, err: cause }, `${operation} failed`);
  else log.debug(entry, operation);
}
