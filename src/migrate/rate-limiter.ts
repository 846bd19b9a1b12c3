/** Spaces out work to so many units a second, with a burst of one second; the clock and the wait are the caller's. */

export interface RateLimiterOptions {
  /** Units per second; Infinity: no limit. */
  readonly perSecond: number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

const MS_PER_SECOND = 1000;

export class RateLimiter {
  /** Units that may be taken at once; below 0 while callers wait for what they have taken. */
  #available: number;
  #refilledAt: number;

  constructor(private readonly options: RateLimiterOptions) {
    if (!(options.perSecond > 0)) throw new RangeError(`a rate must be positive, not ${options.perSecond}`);
    this.#available = options.perSecond;
    this.#refilledAt = options.clock();
  }

  /** Resolves when `units` may be spent. More than a second's worth passes too, and is paid for by whoever comes next. */
  async take(units: number, signal: AbortSignal): Promise<void> {
    const { perSecond, clock, sleep } = this.options;
    if (perSecond === Infinity) return;
    const now = clock();
    this.#available = Math.min(perSecond, this.#available + ((now - this.#refilledAt) / MS_PER_SECOND) * perSecond);
    this.#refilledAt = now;
    const debt = -this.#available;
    this.#available -= units;
    if (debt > 0) await sleep((debt / perSecond) * MS_PER_SECOND, signal);
  }
}
