/** Bounds the bytes that requests hold together (fetched containers, tensors, pixels, PNGs), first come first served. */
import { overloaded } from './errors.js';

/** Gives back what was acquired; calling it again does nothing. */
export type Release = () => void;

export interface ByteSemaphoreOptions {
  /** Bytes that may be held at once. */
  readonly capacity: number;
  /** Requests that may wait; one more is refused with SlowDown at once. */
  readonly maxWaiting: number;
}

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Waiters are admitted strictly in order, so that a large request is not starved by small ones. A request larger than
 * the whole capacity is admitted when nothing else is held: one picture at a time still passes (its own size is bounded
 * elsewhere), and everything else waits for it.
 */
export class ByteSemaphore {
  readonly capacity: number;
  readonly #maxWaiting: number;
  #held = 0;
  #waiting: Waiter[] = [];

  constructor(options: ByteSemaphoreOptions) {
    if (!(options.capacity > 0)) throw new RangeError(`capacity must be positive, not ${options.capacity}`);
    this.capacity = options.capacity;
    this.#maxWaiting = options.maxWaiting;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Requests waiting now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves when `bytes` are reserved.
   * @throws S3Error SlowDown when `maxWaiting` requests wait already; the signal's reason when it aborts first.
   */
  async acquire(bytes: number, signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (!Number.isFinite(bytes) || bytes < 0) throw new RangeError(`cannot reserve ${bytes} bytes`);
    if (this.#waiting.length > 0 || !this.#fits(bytes)) {
      if (this.#waiting.length >= this.#maxWaiting) throw overloaded(0);
      await this.#wait(bytes, signal);
    } else {
      this.#held += bytes;
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#held -= bytes;
      this.#admit();
    };
  }

  #fits(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.capacity;
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal.reason as Error);
        this.#admit();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#held += next.bytes;
      next.admit();
    }
  }
}
