/**
 * Puts requests in the order of time and numbers their objects. Logs are written in nearly that order: S3 promises
 * none, so a window of records is sorted; a record that is older than what has left the window is a fault.
 */
import { BatchWriter, type TraceBatch } from '../trace.js';

export interface TimedRequest {
  time: number;
  /** Number of the object as the reader gave it. */
  object: number;
  imageBytes: number;
  latentBytes: number;
}

/** Records that may be out of order among themselves; S3 delivers an hour's logs in any order. */
export const DEFAULT_SORT_WINDOW = 1 << 16;

export class TimeOrder {
  readonly #waiting: TimedRequest[] = [];
  readonly #batch = new BatchWriter();
  readonly #numbers: number[] = [];
  #origin: number | undefined;
  #lastTime = -Infinity;
  #numbered = 0;

  constructor(readonly window = DEFAULT_SORT_WINDOW) {}

  get full(): boolean {
    return this.#waiting.length >= 2 * this.window;
  }

  /** @returns false where the request is older than one that has already been handed out */
  add(request: TimedRequest): boolean {
    this.#waiting.push(request);
    return request.time >= this.#lastTime;
  }

  /** The older half of what waits, or all of it, in order. */
  *batches(all: boolean): Generator<TraceBatch, void> {
    // Sorting is stable: requests of one second keep the file's order.
    this.#waiting.sort((a, b) => a.time - b.time);
    const leaving = this.#waiting.splice(0, all ? this.#waiting.length : this.window);
    for (const { time, object, imageBytes, latentBytes } of leaving) {
      this.#origin ??= time;
      this.#lastTime = time;
      this.#batch.add(time - this.#origin, this.#number(object), imageBytes, latentBytes);
      if (this.#batch.full) yield* this.#flush();
    }
    yield* this.#flush();
  }

  *#flush(): Generator<TraceBatch, void> {
    if (this.#batch.length > 0) yield this.#batch;
    this.#batch.length = 0;
  }

  #number(object: number): number {
    return (this.#numbers[object] ??= this.#numbered++);
  }
}
