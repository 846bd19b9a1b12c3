/** What can run inferences: a process on this machine, or a remote server. */
import type { GraphKind } from './graphs.js';
import type { HostTensor } from './inference/tensors.js';

/** One inference: the inputs are in the order of the graph's inputs. */
export interface InferenceJob {
  readonly model: string;
  readonly graph: GraphKind;
  readonly inputs: readonly HostTensor[];
}

export interface InferenceResult {
  /** In the order of the graph's outputs. */
  readonly outputs: readonly HostTensor[];
  /** When the run began, in Unix milliseconds. */
  readonly startedAt: number;
  /** The run alone, without transfers, in milliseconds. */
  readonly ms: number;
}

export type DeviceState = 'starting' | 'ready' | 'restarting' | 'failed' | 'closed';

/** A device under its queue; the queue never gives it more than `capacity` jobs at once. */
export interface InferenceDevice {
  readonly id: string;
  /** Jobs that it holds at once: for a local device the running one and the next, already moved to its process. */
  readonly capacity: number;
  /** Whether it takes float16 values, exactly, where a graph takes float32. */
  readonly widensHalf: boolean;
  /** Jobs that it runs at the same time. */
  readonly parallel: number;
  readonly state: DeviceState;
  /** Names of the models whose decoder it serves. */
  readonly models: ReadonlySet<string>;
  /** Whether it can run this graph of this model. */
  serves(model: string, graph: GraphKind): boolean;
  /** Times that it was started again after it ended by itself. */
  readonly restarts: number;
  /** The process that a local device runs in. */
  readonly pid?: number;
  /**
   * @param signal drops the job if it has not begun; a run that has begun goes on to its end
   * @throws WorkerCrash when the job may be tried again; InferenceFailure when it ran and failed
   */
  run(job: InferenceJob, signal: AbortSignal): Promise<InferenceResult>;
  close(): Promise<void>;
}
