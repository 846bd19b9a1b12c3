/** What the decode pipeline is told: every limit with its unit, default and meaning. */
import type { InstalledModel } from '../models/installed-model.js';
import type { ByteSemaphore } from './byte-semaphore.js';
import type { LocalProvider } from './inference/protocol.js';
import type { KserveOptions } from './kserve/kserve-options.js';
import type { DecodeObserver } from './observer.js';

export interface DecodeOptions {
  readonly models: readonly InstalledModel[];
  /** Execution providers to try, best first; `auto` is the order of merit, and leaves out one that is slower than the CPU. */
  readonly providers: 'auto' | readonly LocalProvider[];
  /** Accelerators to use, by the providers' numbering. Default `[0]`. */
  readonly accelerators?: readonly number[];
  /** Inference processes on the CPU, each with `threads` threads. Default 1. */
  readonly cpuProcesses?: number;
  /** Threads of one CPU inference. */
  readonly threads: number;
  /** Threads that decompress latents and write PNGs. */
  readonly codecWorkers: number;
  /** Requests that may wait beyond those that run; one more is answered SlowDown. */
  readonly queueDepth: number;
  /**
   * Bounds the containers, tensors, pixels and PNGs of all requests together. A caller that holds bytes of its own while
   * it waits for a render must hold them under another semaphore: under this one, two callers could wait for each other.
   */
  readonly memory: ByteSemaphore;
  /** Largest picture, in pixels. Default 67,108,864. */
  readonly maxPixels?: number;
  /** A picture above this many pixels is decoded in tiles, and no tile is larger. Default 1,500,000. */
  readonly maxTilePixels?: number;
  /** Picture sizes that every decoder runs once at start, so that the first request does not pay for kernels. Default none. */
  readonly warmUp?: readonly { readonly width: number; readonly height: number }[];
  /** A run that takes longer counts as hung, and its process is replaced. Default 300,000 ms. */
  readonly runTimeoutMs?: number;
  /** Remote servers of the KServe v2 protocol; the models that they list are decoded there. */
  readonly kserve?: KserveOptions;
  readonly observer?: DecodeObserver;
}
