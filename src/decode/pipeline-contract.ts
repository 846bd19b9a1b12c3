/** What the decode pipeline offers to the rest of the gateway. */
import type { PngAncillaryChunks, PngEffort } from '../../codec/index.js';
import type { DeviceState } from './device.js';
import type { GraphKind } from './graphs.js';
import type { HostTensor } from './inference/tensors.js';
import type { StageTimings } from './observer.js';
import type { Placement } from './placement.js';
import type { PngSize } from './sized-png.js';

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
  /**
   * Runs any graph of a model on the same devices, queues and bounds; inputs in the order of the graph's inputs. The
   * inputs' bytes are only read; float16 values are taken where the graph takes float32, and widened exactly.
   */
  runGraph(model: string, graph: GraphKind, inputs: readonly HostTensor[], signal: AbortSignal): Promise<GraphRun>;
  status(): DeviceStatus[];
  load(): PipelineLoad;
  /** Where each model runs, and why not on something better. */
  placements(): readonly Placement[];
  /** @throws S3Error InvalidRequest for an unknown model; ServiceUnavailable for one that runs nowhere */
  decoderClass(model: string): string;
}
