/** The one place that wires the parts together: from a configuration to a gateway that starts, serves and closes. */
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import {
  createS3Api,
  staticCredentials,
  type AccessRecord,
  type ListeningServer,
  type S3Api,
} from '../s3-api/index.js';
import { AdminServer } from './admin/admin-server.js';
import { Metrics } from './admin/metrics.js';
import { openBackingStore } from './backing-store.js';
import { DualFormatCache, ENTRY_OVERHEAD_BYTES } from './cache/dual-format-cache.js';
import { cachePreset } from './cache/presets.js';
import { ConversionPool } from './conversion/index.js';
import { developmentCredentials, type AccessKey } from './config/development-credentials.js';
import { stateDirectory } from './config/load.js';
import type { Config } from './config/schema.js';
import { describePlacement, type DecodePipeline } from './decode/index.js';
import { createLatentStore } from './latents/create-latent-store.js';
import type { CachedImage, CachedLatent } from './latents/stored-image.js';
import type { InstalledModel } from './models/installed-model.js';
import { openDecoding } from './open-decoding.js';

const MS_PER_SECOND = 1000;
const FILESYSTEM_ACCOUNT = '000000000000';

export interface GatewayEndpoints {
  readonly endpoint: string;
  readonly adminEndpoint: string;
}

export class Gateway {
  #ready = false;
  #server: ListeningServer | undefined;

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

    const { models, pipeline, memory } = await openDecoding(config, {
      observer: {
        onEvent: (event, device, detail) => log[event === 'stderr' ? 'debug' : 'warn']({ event, device }, detail),
      },
    });
    const backing = await openBackingStore(config);
    const metrics = new Metrics();
    const { bytes: capacityBytes, policy, onPut: cacheOnPut, ...cacheOptions } = config.cache;
    const cache = new DualFormatCache<CachedImage, CachedLatent>(
      cachePreset(policy, { ...cacheOptions, capacityBytes, entryOverheadBytes: ENTRY_OVERHEAD_BYTES }),
    );
    warnOfMissingModels(config, models, log);
    const { limits, decode } = config;
    const converter = new ConversionPool({
      pipeline,
      models,
      concurrency: config.encode.concurrency,
      maxWaiting: config.encode.queueDepth,
    });
    const { store, source, refetch, owned } = await createLatentStore({
      backing,
      cache,
      cacheOnPut,
      models,
      defaultModel: config.models.default,
      pipeline,
      converter,
      policies: config.policies,
      stateDirectory: state,
      maxLatentBytes: limits.latentBytes,
      maxPngBytes: limits.pngBytes,
      maxPixels: limits.imagePixels,
      uploadBytesInFlight: decode.bytesInFlight,
      observer: metrics,
    });
    metrics.observe({
      cache: () => cache.statistics(),
      refetch: () => refetch.counts,
      devices: () => pipeline.status().map(({ id, queued, busyFraction }) => ({ device: id, queued, busyFraction })),
      inFlight: () => source.inFlight,
      conversions: () => converter.load,
      bytesInFlight: () => memory.held,
    });
    const { s3 } = config;
    const api = createS3Api({
      store,
      credentials: staticCredentials(credentials, config.anonymous),
      region: s3.region,
      ...accountOf(config),
      domains: s3.domains,
      externalUrls: s3.externalUrls.map((url) => new URL(url)),
      limits: { maxConnections: s3.maxConnections },
      accessLog: (record) => recordRequest(record, metrics, log),
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
      [converter, ...owned, backing],
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
    this.#server = await this.api.listen({ host: s3.host, port: s3.port, ...(tls && { tls }) });
    this.#ready = true;
    return { endpoint: this.#server.url, adminEndpoint };
  }

  /** Readiness off, requests in flight end, then everything that was opened is closed, in reverse. */
  async close(): Promise<void> {
    this.#ready = false;
    await this.#server?.close(this.config.s3.drainSeconds * MS_PER_SECOND);
    await this.pipeline.close();
    for (const part of this.owned) await part.close();
    await this.admin.close();
  }
}

/** A policy may name what is installed later; until then it has no effect, which nobody should have to guess. */
function warnOfMissingModels(config: Config, models: readonly InstalledModel[], log: Logger): void {
  for (const { match, model, candidates = [], put } of config.policies) {
    for (const name of [...candidates, ...(model === undefined ? [] : [model])]) {
      const installed = models.find((candidate) => candidate.name === name);
      if (installed === undefined) log.warn(`policy "${match}": the model "${name}" is not installed`);
      else if (put === 'encode' && installed.encoder === undefined)
        log.warn(`policy "${match}": the model "${name}" has no encoder, so it encodes no PNG`);
    }
  }
}

/** Over an S3 store it is that store's account which a client names. */
function accountOf({ s3, store }: Config): { readonly accountId?: string } {
  if (s3.accountId !== undefined) return { accountId: s3.accountId };
  return store.type === 'filesystem' ? { accountId: FILESYSTEM_ACCOUNT } : {};
}

const ALLOW_ALL = [{ actions: ['*'], resources: ['*'] }];

function recordRequest(record: AccessRecord, metrics: Metrics, log: Logger): void {
  const { operation, status, durationMs, errorCode, cause, startedAt: _inTheLogAnyway, ...rest } = record;
  metrics.request(operation, status, durationMs / MS_PER_SECOND, errorCode);
  const entry = { ...rest, operation, status, durationMs, ...(errorCode !== undefined && { errorCode }) };
  if (status >= 500) log.error({ ...entry, err: cause }, `${operation} failed`);
  else log.debug(entry, operation);
}
