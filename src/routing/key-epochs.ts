/**
 * Tells a slow operation on a key whether another one has written the key meanwhile, so that what it has in hand may
 * not be committed to a cache any more. Bookkeeping exists only while operations are under way.
 */
export interface Epoch {
  /** Whether no write to the key has ended since this epoch was taken. */
  isCurrent(): boolean;
  /** Must be called once, when the operation is over. */
  release(): void;
}

interface Counter {
  writes: number;
  holders: number;
}

export class KeyEpochs {
  readonly #counters = new Map<string, Counter>();

  /** Taken before an operation reads or writes the key's stored bytes. */
  take(key: string): Epoch {
    const counter = this.#counters.get(key) ?? { writes: 0, holders: 0 };
    this.#counters.set(key, counter);
    counter.holders += 1;
    const writesAtStart = counter.writes;
    let released = false;
    return {
      isCurrent: () => counter.writes === writesAtStart,
      release: () => {
        if (released) return;
        released = true;
        counter.holders -= 1;
        if (counter.holders === 0) this.#counters.delete(key);
      },
    };
  }

  /** To be called when a write to the key has ended, however it ended. */
  written(key: string): void {
    const counter = this.#counters.get(key);
    if (counter) counter.writes += 1;
  }

  /** Keys with operations under way. */
  get size(): number {
    return this.#counters.size;
  }
}
