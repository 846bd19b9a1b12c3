/** Remote decoders as one device: health, the least loaded endpoint, another one when it fails, all inside a deadline. */
import { setTimeout as delay } from 'node:timers/promises';
import type { InstalledModel } from '../../models/installed-model.js';
import { checkLatent, checkPixels } from '../check-vector.js';
import { decoderClassOf } from '../decoder-class.js';
import type { DeviceState, InferenceDevice, InferenceJob, InferenceResult } from '../device.js';
import { InferenceFailure, WorkerCrash } from '../errors.js';
import type { GraphKind } from '../graphs.js';
import type { Placement } from '../placement.js';
import { elementTypeOf } from './binary-tensors.js';
import type { RemoteModel } from './kserve-client.js';
import { KserveClient } from './kserve-client.js';
import type { KserveOptions } from './kserve-options.js';

const DEFAULT_CONCURRENCY = 4;
const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_ATTEMPT_TIMEOUT_MS = 10_000;
const DEFAULT_HEALTH_INTERVAL_MS = 2_000;
/** Pause before a further try, doubled each time. */
const FIRST_PAUSE_MS = 25;

interface Endpoint {
  readonly client: KserveClient;
  healthy: boolean;
}

interface Served {
  readonly remote: RemoteModel;
  readonly inputName: string;
  readonly outputName: string;
}

export class KserveDevice implements InferenceDevice {
  readonly id = 'kserve';
  readonly restarts = 0;
  readonly widensHalf = false;
  readonly parallel: number;
  readonly capacity: number;
  readonly #options: KserveOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #served = new Map<string, Served>();
  readonly #onEvent: (event: 'endpoint-down' | 'endpoint-up', endpoint: string, detail: string) => void;
  readonly #closed = new AbortController();
  readonly #health: NodeJS.Timeout;

  constructor(
    options: KserveOptions,
    onEvent: (event: 'endpoint-down' | 'endpoint-up', endpoint: string, detail: string) => void,
  ) {
    const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
    this.#options = options;
    this.#onEvent = onEvent;
    this.#endpoints = options.endpoints.map((url) => ({ client: new KserveClient(url, concurrency), healthy: true }));
    this.parallel = concurrency * this.#endpoints.length;
    this.capacity = this.parallel;
    this.#health = setInterval(
      () => void this.#checkHealth(),
      options.healthIntervalMs ?? DEFAULT_HEALTH_INTERVAL_MS,
    ).unref();
  }

  get state(): DeviceState {
    if (this.#closed.signal.aborted) return 'closed';
    return this.#endpoints.some((endpoint) => endpoint.healthy) ? 'ready' : 'restarting';
  }

  get models(): ReadonlySet<string> {
    return new Set(this.#served.keys());
  }

  serves(model: string, graph: GraphKind): boolean {
    return graph === 'decoder' && this.#served.has(model);
  }

  /** Whether the configuration names a remote model for this one. */
  offers(model: string): boolean {
    return Object.hasOwn(this.#options.models, model);
  }

  /**
   * Reads the remote model's metadata and decodes the check latent on every endpoint that is ready.
   * @throws Error whose message says why the remote model cannot serve this one
   */
  async place(model: InstalledModel): Promise<Placement> {
    const remote = this.#options.models[model.name];
    if (remote === undefined) throw new Error('no remote model is configured');
    await this.#checkHealth();
    const ready = this.#endpoints.filter((endpoint) => endpoint.healthy);
    const [first] = ready;
    if (first === undefined) throw new Error(`no endpoint is ready (${this.#options.endpoints.join(', ')})`);
    const signal = this.#attemptSignal();
    const [server, metadata] = await Promise.all([
      first.client.serverMetadata(signal),
      first.client.modelMetadata(remote, signal),
    ]);
    const served = namesOf(metadata, model, remote);
    this.#served.set(model.name, served);
    try {
      const input = checkLatent(model);
      const vectors = new Set<string>();
      let checkMs = 0;
      for (const { client } of ready) {
        const result = await this.#attempt(
          client,
          served,
          { model: model.name, graph: 'decoder', inputs: [input] },
          this.#attemptSignal(),
        );
        vectors.add(checkPixels(model, input, result));
        checkMs = result.ms;
      }
      const [checkVector] = vectors;
      if (checkVector === undefined || vectors.size > 1) throw new Error('the endpoints do not give the same pixels');
      const version = metadata.versions?.at(-1) ?? remote.version ?? '';
      const identity = {
        provider: 'kserve',
        runtimeVersion: `${server.name} ${server.version}`,
        deviceFamily: `${metadata.platform} ${version}`,
      };
      const decoderClass = decoderClassOf({ fingerprint: model.fingerprint, ...identity });
      return {
        model: model.name,
        provider: 'kserve',
        devices: [this.id],
        refused: [],
        decoderClass,
        checkVector,
        checkMs,
      };
    } catch (error) {
      this.#served.delete(model.name);
      throw error;
    }
  }

  async run(job: InferenceJob, signal: AbortSignal): Promise<InferenceResult> {
    const served = this.#served.get(job.model);
    if (served === undefined) throw new InferenceFailure(`no remote model serves "${job.model}"`);
    const deadline = AbortSignal.any([
      signal,
      this.#closed.signal,
      AbortSignal.timeout(this.#options.deadlineMs ?? DEFAULT_DEADLINE_MS),
    ]);
    const failed = new Set<Endpoint>();
    for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
      const endpoint = this.#choose(failed);
      try {
        return await this.#attempt(endpoint.client, served, job, AbortSignal.any([deadline, this.#attemptSignal()]));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof WorkerCrash)) throw error;
        if (deadline.aborted)
          throw new InferenceFailure(`the deadline passed; last: ${error.message}`, { cause: error });
        this.#mark(endpoint, false, error.message);
        failed.add(endpoint);
        // Every endpoint has failed this job once: breathe before the next round.
        if (failed.size < this.#endpoints.length) continue;
        failed.clear();
        await delay(pause, undefined, { signal: deadline }).catch(() => undefined);
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#health);
    this.#closed.abort(new WorkerCrash('the device is closed'));
    await Promise.all(this.#endpoints.map(({ client }) => client.close()));
  }

  async #attempt(
    client: KserveClient,
    served: Served,
    job: InferenceJob,
    signal: AbortSignal,
  ): Promise<InferenceResult> {
    const [tensor] = job.inputs;
    if (tensor === undefined || job.inputs.length > 1) throw new InferenceFailure('a remote decoder has one input');
    const started = performance.now();
    const output = await client.infer(served.remote, { name: served.inputName, tensor }, served.outputName, signal);
    return { outputs: [output], startedAt: performance.timeOrigin + started, ms: performance.now() - started };
  }

  /** Healthy before unhealthy, not yet failed before failed, then the fewest outstanding. */
  #choose(failed: ReadonlySet<Endpoint>): Endpoint {
    const rank = (endpoint: Endpoint): number =>
      (endpoint.healthy ? 0 : 2e6) + (failed.has(endpoint) ? 1e6 : 0) + endpoint.client.outstanding;
    const [best] = [...this.#endpoints].sort((a, b) => rank(a) - rank(b));
    if (best === undefined) throw new InferenceFailure('no endpoint is configured');
    return best;
  }

  #attemptSignal(): AbortSignal {
    return AbortSignal.timeout(this.#options.attemptTimeoutMs ?? DEFAULT_ATTEMPT_TIMEOUT_MS);
  }

  async #checkHealth(): Promise<void> {
    await Promise.all(
      this.#endpoints.map(async (endpoint) => {
        const healthy = await endpoint.client.ready(this.#attemptSignal());
        this.#mark(endpoint, healthy, healthy ? 'ready again' : 'not ready');
      }),
    );
  }

  #mark(endpoint: Endpoint, healthy: boolean, detail: string): void {
    if (endpoint.healthy === healthy) return;
    endpoint.healthy = healthy;
    this.#onEvent(healthy ? 'endpoint-up' : 'endpoint-down', endpoint.client.url, detail);
  }
}

/** @throws Error when the remote model does not take and give what the installed model's decoder does */
function namesOf(
  metadata: Awaited<ReturnType<KserveClient['modelMetadata']>>,
  model: InstalledModel,
  remote: RemoteModel,
): Served {
  const [input] = metadata.inputs ?? [];
  const [output] = metadata.outputs ?? [];
  if (input === undefined || output === undefined)
    throw new Error(`the remote model "${remote.name}" does not say what it takes and gives`);
  const expected = model.decoder.precision === 'f32' ? 'float32' : 'float16';
  if (elementTypeOf(input.datatype) !== expected)
    throw new Error(`the remote model takes ${input.datatype}, the decoder gives ${expected}`);
  if (elementTypeOf(output.datatype) !== 'uint8')
    throw new Error(`the remote model gives ${output.datatype}, not UINT8: serve the prepared graph`);
  return { remote, inputName: input.name, outputName: output.name };
}
