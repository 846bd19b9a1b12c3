/** Counts the requests inside the pipeline, so that all its queues together are bounded by one number. */
import type { Release } from './byte-semaphore.js';
import { overloaded } from './errors.js';

export class AdmissionGate {
  readonly #limit: number;
  #inside = 0;

  /** @param limit requests that may be inside at once */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get inside(): number {
    return this.#inside;
  }

  /**
   * @param expectedWaitMs how long the present work will take, asked only when the answer is no
   * @throws S3Error SlowDown at once when the limit is reached
   */
  enter(expectedWaitMs: () => number): Release {
    if (this.#inside >= this.#limit) throw overloaded(expectedWaitMs());
    this.#inside += 1;
    let left = false;
    return () => {
      if (!left) this.#inside -= 1;
      left = true;
    };
  }
}
