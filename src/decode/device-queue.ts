/** The jobs that wait for one device, and what the device did lately. */
import type { InferenceDevice, InferenceJob, InferenceResult } from './device.js';
import type { DecodeObserver } from './observer.js';

/** Time over which the busy fraction is taken. */
const BUSY_WINDOW_MS = 10_000;
/** Weight of the newest run in the moving average of run times. */
const AVERAGE_WEIGHT = 0.2;

/** A job in a device's hands: `settled` resolves when the device is done with it, whatever became of its caller. */
export interface Submitted {
  readonly result: Promise<InferenceResult>;
  readonly settled: Promise<void>;
}

interface Waiting {
  readonly job: InferenceJob;
  readonly signal: AbortSignal;
  readonly begin: (run: Promise<InferenceResult>) => void;
}

/** The queue is bounded by whoever admits requests: each admitted one has a bounded number of jobs here. */
export class DeviceQueue {
  readonly device: InferenceDevice;
  #waiting: Waiting[] = [];
  #held = 0;
  #runs: { endedAt: number; ms: number }[] = [];
  #meanMs = 0;

  /** @param onRun hears of every run that ended well */
  constructor(
    device: InferenceDevice,
    private readonly onRun?: DecodeObserver['onRun'],
  ) {
    this.device = device;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  /** Jobs that the device holds: running, or moved to it already. */
  get running(): number {
    return this.#held;
  }

  /** Moving average of a run, in milliseconds; 0 before the first. */
  get meanRunMs(): number {
    return this.#meanMs;
  }

  /** How many runs' time lies before a job that comes now. */
  get load(): number {
    return (this.#waiting.length + this.#held) / this.device.parallel;
  }

  /** Share of the last ten seconds in which the device ran, from 0 to 1. */
  busyFraction(): number {
    const since = this.#forgetOldRuns();
    const busy = this.#runs.reduce((sum, run) => sum + Math.min(run.ms, run.endedAt - since), 0);
    return Math.min(1, busy / (BUSY_WINDOW_MS * this.device.parallel));
  }

  /** An aborted job leaves the queue at once; one that runs goes on and its result is dropped. */
  submit(job: InferenceJob, signal: AbortSignal): Submitted {
    let settle: () => void = () => undefined;
    const settled = new Promise<void>((resolve) => (settle = resolve));
    const result = new Promise<InferenceResult>((resolve, reject) => {
      const onAbort = (): void => {
        const before = this.#waiting.length;
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        if (this.#waiting.length < before) settle();
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        job,
        signal,
        begin: (run) => {
          run.then(resolve, reject).finally(() => {
            signal.removeEventListener('abort', onAbort);
            settle();
          });
        },
      };
      if (signal.aborted) {
        settle();
        reject(signal.reason as Error);
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiting);
      this.#dispatch();
    });
    return { result, settled };
  }

  #dispatch(): void {
    while (this.#held < this.device.capacity) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#held += 1;
      next.begin(this.#run(next));
    }
  }

  async #run({ job, signal }: Waiting): Promise<InferenceResult> {
    try {
      const result = await this.device.run(job, signal);
      this.#meanMs = this.#meanMs === 0 ? result.ms : this.#meanMs + AVERAGE_WEIGHT * (result.ms - this.#meanMs);
      this.#runs.push({ endedAt: result.startedAt + result.ms, ms: result.ms });
      this.#forgetOldRuns();
      this.onRun?.(this.device.id, job.model, result.startedAt, result.ms);
      return result;
    } finally {
      this.#held -= 1;
      this.#dispatch();
    }
  }

  #forgetOldRuns(): number {
    const since = performance.timeOrigin + performance.now() - BUSY_WINDOW_MS;
    this.#runs = this.#runs.filter((run) => run.endedAt > since);
    return since;
  }
}
