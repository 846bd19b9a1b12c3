/**
 * Identical requests in flight share one piece of work.
 *
 * The work belongs to no caller: it goes on while anybody waits for it and is cancelled when the last one leaves. An
 * error is given to all who wait and is not remembered. `forget` cuts a flight loose after a write to its key, so that
 * later callers start afresh while those who already wait still get their answer.
 */
interface Flight<V> {
  readonly promise: Promise<V>;
  readonly controller: AbortController;
  waiters: number;
  settled: boolean;
}

export class SingleFlight<V> {
  readonly #flights = new Map<string, Flight<V>>();

  /** Keys in flight. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * @param work started at once where the key is not in flight; its signal aborts when no caller is left before it is done
   * @param signal the caller's: when it aborts, the caller's promise rejects with its reason
   * @returns the work's result, and whether this caller started it
   */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<V>,
    signal: AbortSignal,
  ): Promise<{ value: V; leader: boolean }> {
    signal.throwIfAborted();
    const joined = this.#flights.get(key);
    const flight = joined ?? this.#start(key, work);
    flight.waiters += 1;
    let leave: (() => void) | undefined;
    try {
      const left = new Promise<never>((_, reject) => {
        leave = () => reject(signal.reason as Error);
        signal.addEventListener('abort', leave, { once: true });
      });
      return { value: await Promise.race([flight.promise, left]), leader: joined === undefined };
    } finally {
      if (leave) signal.removeEventListener('abort', leave);
      flight.waiters -= 1;
      if (flight.waiters === 0 && !flight.settled) {
        flight.controller.abort(new Error('no request waits for this any more'));
        this.#remove(key, flight);
      }
    }
  }

  /** Later callers of this key start a flight of their own. */
  forget(key: string): void {
    this.#flights.delete(key);
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<V>): Flight<V> {
    const controller = new AbortController();
    const promise = work(controller.signal);
    const flight: Flight<V> = { promise, controller, waiters: 0, settled: false };
    this.#flights.set(key, flight);
    // Every waiter may have left when the work fails: that is not an unhandled rejection.
    const settle = () => {
      flight.settled = true;
      this.#remove(key, flight);
    };
    promise.then(settle, settle);
    return flight;
  }

  #remove(key: string, flight: Flight<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
