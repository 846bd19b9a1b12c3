/**
 * From a stored latent to a picture: open the container (codec worker) → infer (device) → write the PNG (codec worker).
 * Every request passes one gate and one byte budget before it costs anything, so that the queues behind are bounded.
 */
import type { InstalledModel } from '../models/installed-model.js';
import { Admission, type Needs, type Ticket } from './admission.js';
import { AdmissionGate } from './admission-gate.js';
import { BufferPool } from './buffer-pool.js';
import { CodecPool } from './codec-pool.js';
import type { Decoded, DecodeStages } from './decode-tiles.js';
import { decodeTiles, infer, renderNeeds } from './decode-tiles.js';
import type { InferenceDevice } from './device.js';
import { Dispatcher } from './dispatcher.js';
import { noDevice, unknownModel, WorkerCrash } from './errors.js';
import type { GraphKind } from './graphs.js';
import type { HostTensor } from './inference/tensors.js';
import { KserveDevice } from './kserve/kserve-device.js';
import type { DecodeObserver, StageTimings } from './observer.js';
import type { DecodeOptions } from './options.js';
import type {
  DecodePipeline,
  DeviceStatus,
  GraphRun,
  PipelineLoad,
  RenderedImage,
  RenderedPixels,
  RenderRequest,
} from './pipeline-contract.js';
import type { Placement } from './placement.js';
import { LocalPlacer } from './placement.js';
import { placeModel, warmUp } from './start-devices.js';
import type { TileOptions } from './tiles.js';
import { DEFAULT_BLEND_CELLS, DEFAULT_MAX_TILE_PIXELS, DEFAULT_OVERLAP_CELLS, isWholePicture } from './tiles.js';

const DEFAULT_MAX_PIXELS = 1 << 26;
const DEFAULT_RUN_TIMEOUT_MS = 300_000;

export function createDecodePipeline(options: DecodeOptions): DecodePipeline {
  return new Pipeline(options);
}

/** What exists between `start` and `close`. */
interface Running extends DecodeStages {
  readonly gate: AdmissionGate;
  readonly admission: Admission;
}

class Pipeline implements DecodePipeline {
  readonly #options: DecodeOptions;
  readonly #observer: DecodeObserver;
  readonly #models: ReadonlyMap<string, InstalledModel>;
  readonly #placer: LocalPlacer;
  readonly #buffers = new BufferPool();
  #kserve: KserveDevice | undefined;
  #running: Running | undefined;
  #placements: Placement[] = [];

  constructor(options: DecodeOptions) {
    this.#options = options;
    this.#observer = options.observer ?? {};
    this.#models = new Map(options.models.map((model) => [model.name, model]));
    this.#placer = new LocalPlacer({
      providers: options.providers,
      accelerators: options.accelerators ?? [0],
      cpuProcesses: options.cpuProcesses ?? 1,
      device: {
        threads: options.threads,
        runTimeoutMs: options.runTimeoutMs ?? DEFAULT_RUN_TIMEOUT_MS,
        buffers: this.#buffers,
      },
      onEvent: (device, event, detail) => this.#observer.onEvent?.(event, device, detail),
    });
  }

  async start(): Promise<void> {
    const { kserve, queueDepth, codecWorkers, memory, maxPixels } = this.#options;
    if (kserve !== undefined) {
      this.#kserve = new KserveDevice(kserve, (event, endpoint, detail) =>
        this.#observer.onEvent?.(event, endpoint, detail),
      );
    }
    for (const model of this.#models.values())
      this.#placements.push(await placeModel(model, this.#placer, this.#kserve));
    await this.#placer.settle();
    const devices: InferenceDevice[] = [...this.#placer.devices];
    if (this.#kserve !== undefined) devices.push(this.#kserve);
    const dispatcher = new Dispatcher(devices, (...run) => this.#observer.onRun?.(...run));
    const admitted = queueDepth + dispatcher.capacity;
    const gate = new AdmissionGate(admitted);
    const admission = new Admission({
      gate,
      memory,
      maxPixels: maxPixels ?? DEFAULT_MAX_PIXELS,
      expectedWaitMs: () => dispatcher.expectedWaitMs(),
      observer: this.#observer,
    });
    const codec = new CodecPool({
      threads: codecWorkers,
      maxQueued: admitted,
      onCrash: (reason) => this.#observer.onEvent?.('codec-worker-crash', 'codec', reason),
    });
    this.#running = { dispatcher, gate, admission, codec };
    await warmUp(devices, this.#models.values(), this.#options.warmUp ?? []);
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await Promise.all([running?.codec.close(), this.#placer.close(), this.#kserve?.close()]);
  }

  async render(request: RenderRequest, signal: AbortSignal): Promise<RenderedImage> {
    return this.#admitted(
      request.model,
      signal,
      () => renderNeeds(request.container),
      async (ticket, stages) => {
        const started = performance.now();
        const decoded = await decodeTiles(stages, ticket, request.container, this.#tilingOf(ticket.model));
        const { plan, width, height, chunks } = decoded.opened;
        const { tiles } = decoded;
        const asked = {
          ...(request.size === undefined ? {} : { size: request.size }),
          ...(request.effort === undefined ? {} : { effort: request.effort }),
        };
        const {
          value: png,
          ms,
          spent,
        } = await stages.codec.run(
          { kind: 'png', tiles, plan, width, height, chunks, ...asked },
          buffersOf(tiles),
          ticket.signal,
        );
        for (const buffer of spent) this.#buffers.give(buffer);
        return { png, width, height, timings: this.#timings(ticket, decoded, started, ms) };
      },
    );
  }

  async renderPixels(request: Omit<RenderRequest, 'size' | 'effort'>, signal: AbortSignal): Promise<RenderedPixels> {
    return this.#admitted(
      request.model,
      signal,
      () => renderNeeds(request.container),
      async (ticket, stages) => {
        const started = performance.now();
        const decoded = await decodeTiles(stages, ticket, request.container, this.#tilingOf(ticket.model));
        const { width, height, chunks } = decoded.opened;
        const pixels = await composed(stages, ticket, decoded);
        return { pixels, width, height, chunks, timings: this.#timings(ticket, decoded, started, 0) };
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
    return this.#admitted(
      name,
      signal,
      () => ({ bytes: 2 * given, pixels: 0 }),
      async (ticket, stages) => {
        const started = performance.now();
        const { outputs, ms } = await infer(stages, ticket, graph, inputs);
        return { outputs, timings: { decode: ms, queue: ticket.waitedMs + performance.now() - started - ms } };
      },
    );
  }

  status(): DeviceStatus[] {
    return this.#running?.dispatcher.status() ?? [];
  }

  load(): PipelineLoad {
    const { held, capacity, waiting } = this.#options.memory;
    return {
      requests: this.#running?.gate.inside ?? 0,
      codecQueued: this.#running?.codec.queued ?? 0,
      codecRunning: this.#running?.codec.running ?? 0,
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

  async #admitted<Result>(
    name: string,
    signal: AbortSignal,
    needsOf: () => Needs,
    work: (ticket: Ticket, stages: DecodeStages) => Promise<Result>,
  ): Promise<Result> {
    const model = this.#modelOf(name);
    const running = this.#running;
    if (running === undefined) throw noDevice(name, new WorkerCrash('the pipeline is not running'));
    return running.admission.run(model, signal, needsOf, (ticket) => work(ticket, running));
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

  #timings(ticket: Ticket, { decompressMs, decodeMs }: Decoded, started: number, png: number): StageTimings {
    const queue = ticket.waitedMs + performance.now() - started - decompressMs - decodeMs - png;
    const timings: StageTimings = { decompress: decompressMs, queue, decode: decodeMs, png };
    for (const stage of ['decompress', 'queue', 'decode', 'png'] as const)
      this.#observer.onStage?.(stage, timings[stage], ticket.model.name);
    return timings;
  }

  #modelOf(name: string): InstalledModel {
    const model = this.#models.get(name);
    if (model === undefined) throw unknownModel(name);
    return model;
  }
}

/** The picture's pixels; a tile that is the whole picture is handed on as it is. */
async function composed({ codec }: DecodeStages, { signal }: Ticket, { opened, tiles }: Decoded): Promise<Uint8Array> {
  const { plan, width, height } = opened;
  const [only] = tiles;
  if (only !== undefined && isWholePicture(tiles, plan, width, height)) return only;
  return (await codec.run({ kind: 'pixels', tiles, plan, width, height }, buffersOf(tiles), signal)).value;
}

function buffersOf(tiles: readonly Uint8Array<ArrayBuffer>[]): ArrayBuffer[] {
  return [...new Set(tiles.map((tile) => tile.buffer))];
}
