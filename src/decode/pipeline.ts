/**
 * From a stored latent to a picture: open the container (codec worker) → infer (device) → write the PNG (codec worker).
 * Every request passes one gate and one byte budget before it costs anything, so that the queues behind are bounded.
 */
import { setMaxListeners } from 'node:events';
import type { PngAncillaryChunks, PngEffort } from '../../codec/index.js';
import { readContainerHeader } from '../../codec/index.js';
import { S3Error } from '../../s3-api/errors.js';
import type { InstalledModel } from '../models/installed-model.js';
import { AdmissionGate } from './admission-gate.js';
import { checkLatent } from './check-vector.js';
import { CodecPool } from './codec-pool.js';
import type { OpenedLatent } from './codec-tasks.js';
import type { DeviceState, InferenceDevice } from './device.js';
import { Dispatcher } from './dispatcher.js';
import { noDevice, tooManyPixels, undecodable, unknownModel, WorkerCrash } from './errors.js';
import type { GraphKind } from './graphs.js';
import type { HostTensor } from './inference/tensors.js';
import { KserveDevice } from './kserve/kserve-device.js';
import type { DecodeObserver, StageTimings } from './observer.js';
import type { DecodeOptions } from './options.js';
import type { Placement } from './placement.js';
import { LocalPlacer } from './placement.js';
import type { PngSize } from './sized-png.js';
import type { TileOptions } from './tiles.js';
import { DEFAULT_BLEND_CELLS, DEFAULT_MAX_TILE_PIXELS, DEFAULT_OVERLAP_CELLS } from './tiles.js';

const DEFAULT_MAX_PIXELS = 1 << 26;
const DEFAULT_RUN_TIMEOUT_MS = 300_000;
/** Tiles of one picture that wait or run per device: enough to keep it busy, few enough to leave others their turn. */
const TILES_PER_DEVICE = 2;
/** A request whose own run may have ended the worker is tried once more; one that only stood behind it, more often. */
const MAX_BEGUN_CRASHES = 1;
const MAX_CRASHES = 5;

export interface RenderRequest {
  /** Name of an installed model. */
  readonly model: string;
  /** A `.lbx` file; it is copied, not taken. */
  readonly container: Uint8Array;
  /** Length of the PNG. Default: its own. */
  readonly size?: PngSize;
  /** Of the PNG writer, to begin with; a length that it does not fit takes more. Default `fast`. */
  readonly effort?: PngEffort;
}

export interface RenderedImage {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly timings: StageTimings;
}

export interface RenderedPixels {
  /** Interleaved 8-bit sRGB, `width · height · 3` bytes. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly chunks: PngAncillaryChunks;
  readonly timings: StageTimings;
}

export interface GraphRun {
  /** In the order of the graph's outputs. */
  readonly outputs: readonly HostTensor[];
  readonly timings: Pick<StageTimings, 'queue' | 'decode'>;
}

export interface DeviceStatus {
  readonly id: string;
  readonly state: DeviceState;
  readonly models: readonly string[];
  /** Inferences that wait for the device. */
  readonly queued: number;
  /** Inferences that the device holds: running, or moved to it already. */
  readonly running: number;
  /** Share of the last ten seconds, from 0 to 1. */
  readonly busyFraction: number;
  /** Moving average of one inference, in milliseconds. */
  readonly meanRunMs: number;
  readonly restarts: number;
  readonly pid?: number;
}

/** How full the pipeline is, for gauges. */
export interface PipelineLoad {
  readonly requests: number;
  readonly codecQueued: number;
  readonly codecRunning: number;
  readonly bytesHeld: number;
  readonly bytesCapacity: number;
  readonly waitingForBytes: number;
}

export interface DecodePipeline {
  /** Tries the providers, starts devices and workers, warms up. A model that cannot run is no error: see `placements`. */
  start(): Promise<void>;
  /** Ends workers and devices; what is in flight is rejected. Drain first. */
  close(): Promise<void>;
  /**
   * @throws S3Error InvalidRequest (unknown model, too many pixels), SlowDown with Retry-After (overload),
   *   ServiceUnavailable (no device), InternalError (corrupt container, failed decode; `cause` says which);
   *   the signal's reason when it aborts
   */
  render(request: RenderRequest, signal: AbortSignal): Promise<RenderedImage>;
  /** As {@link render}, without the PNG. */
  renderPixels(request: Omit<RenderRequest, 'size' | 'effort'>, signal: AbortSignal): Promise<RenderedPixels>;
  /** Runs any graph of a model on the same devices, queues and bounds; inputs in the order of the graph's inputs. */
  runGraph(model: string, graph: GraphKind, inputs: readonly HostTensor[], signal: AbortSignal): Promise<GraphRun>;
  status(): DeviceStatus[];
  load(): PipelineLoad;
  /** Where each model runs, and why not on something better. */
  placements(): readonly Placement[];
  /** @throws S3Error InvalidRequest for an unknown model; ServiceUnavailable for one that runs nowhere */
  decoderClass(model: string): string;
}

export function createDecodePipeline(options: DecodeOptions): DecodePipeline {
  return new Pipeline(options);
}

/** A request that is inside: what it waited, and how to wait for what it left running. */
interface Ticket {
  readonly signal: AbortSignal;
  readonly model: InstalledModel;
  /** Inferences that may outlive their caller; the bytes are given back after them. */
  readonly settled: Promise<void>[];
}

/** What a request will hold at most. */
interface Needs {
  readonly bytes: number;
  readonly pixels: number;
}

interface Decoded {
  readonly opened: OpenedLatent;
  readonly tiles: readonly Uint8Array<ArrayBuffer>[];
  readonly decompress: number;
  readonly decode: number;
}

class Pipeline implements DecodePipeline {
  readonly #options: DecodeOptions;
  readonly #observer: DecodeObserver;
  readonly #models: ReadonlyMap<string, InstalledModel>;
  readonly #placer: LocalPlacer;
  #kserve: KserveDevice | undefined;
  #codec: CodecPool | undefined;
  #gate = new AdmissionGate(0);
  #dispatcher = new Dispatcher([]);
  #placements: Placement[] = [];

  constructor(options: DecodeOptions) {
    this.#options = options;
    this.#observer = options.observer ?? {};
    this.#models = new Map(options.models.map((model) => [model.name, model]));
    this.#placer = new LocalPlacer({
      providers: options.providers,
      accelerators: options.accelerators ?? [0],
      cpuProcesses: options.cpuProcesses ?? 1,
      device: { threads: options.threads, runTimeoutMs: options.runTimeoutMs ?? DEFAULT_RUN_TIMEOUT_MS },
      onEvent: (device, event, detail) => this.#observer.onEvent?.(event, device, detail),
    });
  }

  async start(): Promise<void> {
    const { kserve, queueDepth, codecWorkers } = this.#options;
    if (kserve !== undefined) {
      this.#kserve = new KserveDevice(kserve, (event, endpoint, detail) =>
        this.#observer.onEvent?.(event, endpoint, detail),
      );
    }
    for (const model of this.#models.values()) this.#placements.push(await this.#place(model));
    await this.#placer.settle();
    const devices: InferenceDevice[] = [...this.#placer.devices];
    if (this.#kserve !== undefined) devices.push(this.#kserve);
    this.#dispatcher = new Dispatcher(devices, (...run) => this.#observer.onRun?.(...run));
    const admitted = queueDepth + this.#dispatcher.capacity;
    this.#gate = new AdmissionGate(admitted);
    this.#codec = new CodecPool({
      threads: codecWorkers,
      maxQueued: admitted,
      onCrash: (reason) => this.#observer.onEvent?.('codec-worker-crash', 'codec', reason),
    });
    await this.#warmUp(devices);
  }

  async close(): Promise<void> {
    this.#gate = new AdmissionGate(0);
    await Promise.all([this.#codec?.close(), this.#placer.close(), this.#kserve?.close()]);
  }

  async render(request: RenderRequest, signal: AbortSignal): Promise<RenderedImage> {
    return this.#inside(
      request.model,
      signal,
      () => renderNeeds(request.container),
      async (ticket, waited) => {
        const started = performance.now();
        const { opened, tiles, decompress, decode } = await this.#decode(ticket, request.container);
        const { plan, width, height, chunks } = opened;
        const task = {
          kind: 'png',
          tiles,
          plan,
          width,
          height,
          chunks,
          ...(request.size === undefined ? {} : { size: request.size }),
          ...(request.effort === undefined ? {} : { effort: request.effort }),
        } as const;
        const { value: png, ms } = await this.#codecPool().run(task, buffersOf(tiles), ticket.signal);
        const queue = waited + performance.now() - started - decompress - decode - ms;
        return { png, width, height, timings: this.#observe(request.model, { decompress, queue, decode, png: ms }) };
      },
    );
  }

  async renderPixels(request: Omit<RenderRequest, 'size' | 'effort'>, signal: AbortSignal): Promise<RenderedPixels> {
    return this.#inside(
      request.model,
      signal,
      () => renderNeeds(request.container),
      async (ticket, waited) => {
        const started = performance.now();
        const { opened, tiles, decompress, decode } = await this.#decode(ticket, request.container);
        const { plan, width, height, chunks } = opened;
        const { value: pixels } = await this.#codecPool().run(
          { kind: 'pixels', tiles, plan, width, height },
          buffersOf(tiles),
          ticket.signal,
        );
        const queue = waited + performance.now() - started - decompress - decode;
        return {
          pixels,
          width,
          height,
          chunks,
          timings: this.#observe(request.model, { decompress, queue, decode, png: 0 }),
        };
      },
    );
  }

  async runGraph(
    name: string,
    graph: GraphKind,
    inputs: readonly HostTensor[],
    signal: AbortSignal,
  ): Promise<GraphRun> {
    const given = inputs.reduce((sum, input) => sum + input.data.byteLength, 0);
    return this.#inside(
      name,
      signal,
      () => ({ bytes: 2 * given, pixels: 0 }),
      async (ticket, waited) => {
        const started = performance.now();
        const { outputs, ms } = await this.#infer(ticket, graph, inputs);
        return { outputs, timings: { decode: ms, queue: waited + performance.now() - started - ms } };
      },
    );
  }

  status(): DeviceStatus[] {
    return this.#dispatcher.queues.map((queue) => {
      const { id, state, models, restarts, pid } = queue.device;
      const { queued, running, meanRunMs } = queue;
      const common = {
        id,
        state,
        models: [...models],
        queued,
        running,
        busyFraction: queue.busyFraction(),
        meanRunMs,
        restarts,
      };
      return pid === undefined ? common : { ...common, pid };
    });
  }

  load(): PipelineLoad {
    const { held, capacity, waiting } = this.#options.memory;
    return {
      requests: this.#gate.inside,
      codecQueued: this.#codec?.queued ?? 0,
      codecRunning: this.#codec?.running ?? 0,
      bytesHeld: held,
      bytesCapacity: capacity,
      waitingForBytes: waiting,
    };
  }

  placements(): readonly Placement[] {
    return this.#placements;
  }

  decoderClass(name: string): string {
    this.#modelOf(name);
    const placement = this.#placements.find(({ model }) => model === name);
    if (placement?.decoderClass === undefined) throw noDevice(name);
    return placement.decoderClass;
  }

  /** Passes the gate and the byte budget, runs `work`, tries again after a crash, and names what went wrong. */
  async #inside<Result>(
    name: string,
    caller: AbortSignal,
    needsOf: () => Needs,
    work: (ticket: Ticket, waitedMs: number) => Promise<Result>,
  ): Promise<Result> {
    const model = this.#modelOf(name);
    const maxPixels = this.#options.maxPixels ?? DEFAULT_MAX_PIXELS;
    // A signal of the request's own: every tile listens to it, and callers may share theirs between many requests.
    const signal = AbortSignal.any([caller]);
    setMaxListeners(0, signal);
    try {
      signal.throwIfAborted();
      const needs = needsOf();
      if (needs.pixels > maxPixels) throw tooManyPixels(needs.pixels, maxPixels);
      const leave = this.#gate.enter(() => this.#dispatcher.expectedWaitMs());
      const ticket: Ticket = { signal, model, settled: [] };
      try {
        const started = performance.now();
        const release = await this.#options.memory.acquire(needs.bytes, signal);
        try {
          const waited = performance.now() - started;
          const result = await this.#withRetries(ticket, () => work(ticket, waited));
          this.#observer.onOutcome?.('done', name);
          return result;
        } finally {
          void Promise.allSettled(ticket.settled).then(release);
        }
      } finally {
        leave();
      }
    } catch (error) {
      throw this.#told(error, name, signal);
    }
  }

  #told(error: unknown, model: string, signal: AbortSignal): unknown {
    if (signal.aborted) {
      this.#observer.onOutcome?.('cancelled', model);
      return error;
    }
    const shed = error instanceof S3Error && error.code === 'SlowDown';
    this.#observer.onOutcome?.(shed ? 'shed' : 'failed', model);
    return error instanceof S3Error ? error : undecodable(error);
  }

  async #withRetries<Result>(ticket: Ticket, work: () => Promise<Result>): Promise<Result> {
    let begun = 0;
    for (let crashes = 1; ; crashes++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof WorkerCrash) || ticket.signal.aborted) throw error;
        if (error.begun) begun += 1;
        if (begun > MAX_BEGUN_CRASHES || crashes >= MAX_CRASHES) throw error;
        this.#observer.onRetry?.(ticket.model.name);
      }
    }
  }

  async #decode(ticket: Ticket, container: Uint8Array): Promise<Decoded> {
    const { model, signal } = ticket;
    const { precision } = model.decoder;
    const { value: opened, ms: decompress } = await this.#codecPool().run(
      { kind: 'open', container, precision, statistics: model.statistics, tiling: this.#tilingOf(model) },
      [],
      signal,
    );
    const { plan, channels } = opened;
    const dims = [1, channels, plan.rows.size, plan.columns.size];
    const type = precision === 'f32' ? 'float32' : 'float16';
    const expected = plan.rows.size * plan.columns.size * plan.factor ** 2 * 3;
    let decode = 0;
    const tiles = await mapBounded(opened.tiles, TILES_PER_DEVICE * this.#dispatcher.queues.length, async (data) => {
      const { outputs, ms } = await this.#infer(ticket, 'decoder', [{ type, dims, data }]);
      decode += ms;
      const [pixels] = outputs;
      if (pixels?.type !== 'uint8' || pixels.data.byteLength !== expected)
        throw new Error('the decoder gave no picture of the expected size');
      return pixels.data;
    });
    return { opened, tiles, decompress, decode };
  }

  async #infer(
    ticket: Ticket,
    graph: GraphKind,
    inputs: readonly HostTensor[],
  ): Promise<{ outputs: readonly HostTensor[]; ms: number }> {
    const { result, settled } = this.#dispatcher.submit({ model: ticket.model.name, graph, inputs }, ticket.signal);
    ticket.settled.push(settled);
    return result;
  }

  #tilingOf(model: InstalledModel): TileOptions {
    const fixed = model.decoder.fixedLatentSize;
    return {
      factor: model.spatialFactor,
      maxPixels: this.#options.maxTilePixels ?? DEFAULT_MAX_TILE_PIXELS,
      overlap: DEFAULT_OVERLAP_CELLS,
      blend: DEFAULT_BLEND_CELLS,
      ...(fixed === undefined ? {} : { fixed }),
    };
  }

  async #place(model: InstalledModel): Promise<Placement> {
    if (this.#kserve?.offers(model.name) !== true) return this.#placer.place(model);
    try {
      return await this.#kserve.place(model);
    } catch (error) {
      const refusal = { provider: 'kserve', reason: error instanceof Error ? error.message : String(error) };
      const local = await this.#placer.place(model);
      return { ...local, refused: [refusal, ...local.refused] };
    }
  }

  async #warmUp(devices: readonly InferenceDevice[]): Promise<void> {
    const signal = new AbortController().signal;
    for (const device of devices) {
      for (const model of this.#models.values()) {
        if (!device.serves(model.name, 'decoder')) continue;
        const sizes = model.decoder.fixedLatentSize === undefined ? (this.#options.warmUp ?? []) : [];
        const cells = sizes.map(({ width, height }) => ({
          height: Math.ceil(height / model.spatialFactor),
          width: Math.ceil(width / model.spatialFactor),
        }));
        const latents = cells.length === 0 ? [checkLatent(model)] : cells.map((size) => checkLatent(model, size));
        for (const latent of latents)
          await device.run({ model: model.name, graph: 'decoder', inputs: [latent] }, signal);
      }
    }
  }

  #observe(model: string, timings: StageTimings): StageTimings {
    for (const stage of ['decompress', 'queue', 'decode', 'png'] as const)
      this.#observer.onStage?.(stage, timings[stage], model);
    return timings;
  }

  #modelOf(name: string): InstalledModel {
    const model = this.#models.get(name);
    if (model === undefined) throw unknownModel(name);
    return model;
  }

  #codecPool(): CodecPool {
    if (this.#codec === undefined) throw new WorkerCrash('the pipeline is not started');
    return this.#codec;
  }
}

/** Raw latent and the graph's copy of it, in their widest type. */
const LATENT_BYTES_PER_VALUE = 8;
/** Tiles overlap, and what is composed of them lies beside them for a moment; a PNG is hardly larger than its pixels. */
const PICTURE_COPIES = 3;

/**
 * An upper estimate from the header alone: the container and the worker's copy of it, the latent twice, the pixels as
 * tiles, as a picture and as a PNG.
 * @throws CodecError when the header is corrupt
 */
function renderNeeds(container: Uint8Array): Needs {
  const { shape, width, height } = readContainerHeader(container);
  const pixels = width * height;
  const values = shape.reduce((product, dim) => product * dim, 1);
  return { bytes: 2 * container.byteLength + values * LATENT_BYTES_PER_VALUE + PICTURE_COPIES * 3 * pixels, pixels };
}

function buffersOf(tiles: readonly Uint8Array<ArrayBuffer>[]): ArrayBuffer[] {
  return [...new Set(tiles.map((tile) => tile.buffer))];
}

/** `Promise.all` over `items` in order with at most `limit` at work; the first failure stops further ones from starting. */
async function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of entries) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
