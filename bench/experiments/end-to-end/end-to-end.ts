/**
 * The end-to-end table: real gateways over a real S3 server some way off, the bundled model decoding on this machine, a
 * trace replayed over HTTP at a set rate; beside it the published table, and what the simulator says of the same trace.
 */
import { simulationsOf } from '../../../src/simulate/replay/configuration.js';
import { PUBLISHED_LATENCIES } from '../../../src/simulate/replay/latency-model.js';
import { replay, type SimulationRow } from '../../../src/simulate/replay/replay.js';
import type { StoredTrace } from '../../../src/simulate/replay/stored-trace.js';
import { findVersitygw, startVersitygw, VERSITYGW_MISSING } from '../../../src/stores/testing/versitygw.js';
import { benchModel } from '../../decode/bench-model.js';
import { cacheSection, type ConfigurationName, type Percentiles } from './configurations.js';
import { startDelayProxy } from './delay-proxy.js';
import { startGateway, type Backend, type RunningServer } from './gateway.js';
import { startImageStore } from './image-store.js';
import { mean, openLoop, percentile, type LoadResult } from './open-loop.js';
import { fillBackend, keyOf, LATENT_BUCKET, PNG_BUCKET } from './stored-images.js';
import { traceWindow } from './trace-window.js';

export interface EndToEndOptions {
  /** Requests replayed: the last ones of a trace of `traceRequests`. */
  readonly requests: number;
  readonly traceRequests: number;
  readonly seed: number;
  /** Undefined: one at a time, from a store without delay, for the hit rates alone. */
  readonly requestsPerSecond: number | undefined;
  /** Cache size as a share of the PNG bytes of all objects. */
  readonly cacheShare: number;
  /** Pixels of a picture's side. */
  readonly side: number;
  readonly configurations: readonly ConfigurationName[];
  readonly onProgress: (note: string, done: number, total: number) => void;
}

export interface Shares {
  readonly imageHit: number;
  readonly latentHit: number;
  readonly miss: number;
}

export interface EndToEndRow extends Percentiles, Shares {
  readonly config: ConfigurationName;
  readonly simulated: Shares;
  /** The largest difference of a share to the simulator's, in percentage points. */
  readonly offPoints: number;
  readonly failed: number;
  readonly p99SendLagMs: number;
  readonly stageMs: Readonly<Record<string, number>>;
}

/** Measures and yields one configuration after the other. */
export async function* endToEnd(options: EndToEndOptions): AsyncGenerator<EndToEndRow, void> {
  const program = await findVersitygw();
  if (program === undefined) throw new Error(VERSITYGW_MISSING);
  const { seed, requestsPerSecond, onProgress } = options;
  const server = await startVersitygw(program);
  const proxy = await startDelayProxy(server.endpoint, seed);
  try {
    const { objects, distinct } = await traceWindow(options);
    const { model, close } = await benchModel();
    await close();
    const near: Backend = { ...server };
    const images = await fillBackend(backendOf(near), {
      objects: distinct,
      side: options.side,
      model: { name: model.name, channels: model.latentChannels, factor: model.spatialFactor },
      onProgress: (done) => onProgress('uploading', done, distinct),
    });
    const trace: StoredTrace = {
      ...images,
      name: 'window',
      objects,
      times: new Float64Array(0),
      workingSetBytes: images.imageBytes.reduce((sum, bytes) => sum + bytes, 0),
    };
    const backend = requestsPerSecond === undefined ? near : { ...near, endpoint: proxy.endpoint };
    for (const config of options.configurations) yield await measure(config, trace, backendOf(backend), options);
  } finally {
    await proxy.close();
    await server.close();
  }
}

function backendOf({ endpoint, accessKeyId, secretAccessKey }: Backend): Backend {
  return { endpoint, accessKeyId, secretAccessKey };
}

async function measure(
  config: ConfigurationName,
  trace: StoredTrace,
  backend: Backend,
  { cacheShare, requestsPerSecond, seed, onProgress }: EndToEndOptions,
): Promise<EndToEndRow> {
  const cacheBytes = Math.floor(cacheShare * trace.workingSetBytes);
  const server: RunningServer =
    config === 'image-store'
      ? await startImageStore(backend, cacheBytes)
      : await startGateway(backend, cacheSection(config, cacheBytes));
  try {
    const bucket = config === 'image-store' ? PNG_BUCKET : LATENT_BUCKET;
    const result = await openLoop({
      endpoint: server.endpoint,
      paths: Array.from(trace.objects, (object) => `/${bucket}/${keyOf(object)}`),
      requestsPerSecond,
      seed,
      onProgress: (sent) => onProgress(config, sent, trace.objects.length),
    });
    return row(config, result, simulate(config, trace, cacheShare, result));
  } finally {
    await server.close();
  }
}

/** The same requests and sizes through the simulator, with the latencies that the gateway itself reported. */
function simulate(
  config: ConfigurationName,
  trace: StoredTrace,
  cacheShare: number,
  { stageMs }: LoadResult,
): SimulationRow {
  const [simulation] = simulationsOf(cacheShare, trace.workingSetBytes, [config]);
  if (simulation === undefined) throw new Error(`the simulator knows no ${config}`);
  const { decodeMs, fetchMs } = PUBLISHED_LATENCIES;
  const decoding = ['decompress', 'queue', 'decode', 'png'].reduce((sum, stage) => sum + (stageMs[stage] ?? 0), 0);
  const latencies = {
    ...PUBLISHED_LATENCIES,
    decodeMs: decoding > 0 ? decoding : decodeMs,
    fetchMs: stageMs['fetch'] ?? fetchMs,
  };
  return replay(trace, simulation, { latencies, windows: 1 }).row;
}

function row(config: ConfigurationName, result: LoadResult, simulated: SimulationRow): EndToEndRow {
  const { latencyMs, outcomes, failed, p99SendLagMs, stageMs } = result;
  const answered = Math.max(1, latencyMs.length - failed);
  const shares: Shares = {
    imageHit: outcomes['image-hit'] / answered,
    latentHit: outcomes['latent-hit'] / answered,
    miss: outcomes.miss / answered,
  };
  const { imageHit, latentHit, miss } = simulated;
  const off = [shares.imageHit - imageHit, shares.latentHit - latentHit, shares.miss - miss].map(Math.abs);
  return {
    config,
    meanMs: mean(latencyMs),
    p50Ms: percentile(latencyMs, 0.5),
    p95Ms: percentile(latencyMs, 0.95),
    p99Ms: percentile(latencyMs, 0.99),
    ...shares,
    simulated: { imageHit, latentHit, miss },
    offPoints: 100 * Math.max(...off),
    failed,
    p99SendLagMs,
    stageMs,
  };
}
