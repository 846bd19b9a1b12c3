/** What the pipeline tells whoever watches it: metrics and logs are wired from outside. */

export type Stage = 'decompress' | 'queue' | 'decode' | 'png';

/** Milliseconds per stage. `queue` is all the waiting: for memory, for a codec worker, for the device. */
export type StageTimings = Readonly<Record<Stage, number>>;

export type DecodeOutcome = 'done' | 'shed' | 'cancelled' | 'failed';

export type DeviceEvent =
  'stderr' | 'exit' | 'restarted' | 'restart-failed' | 'codec-worker-crash' | 'endpoint-down' | 'endpoint-up';

/** Every method may be left out; none may throw. */
export interface DecodeObserver {
  /** One stage of one request is over. */
  onStage?(stage: Stage, ms: number, model: string): void;
  /** One inference is over; `startedAt` is in Unix milliseconds. */
  onRun?(device: string, model: string, startedAt: number, ms: number): void;
  /** One request is over. */
  onOutcome?(outcome: DecodeOutcome, model: string): void;
  /** A request is tried again because a worker ended under it. */
  onRetry?(model: string): void;
  /** Something happened to a device or worker; `detail` is one line for the log. */
  onEvent?(event: DeviceEvent, device: string, detail: string): void;
}
