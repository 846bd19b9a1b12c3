/** One holder per name at a time, in order of arrival. */
export class KeyLocks {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `action` when every earlier one under this name has ended; its result or error is passed on. */
  async run<T>(name: string, action: () => Promise<T>): Promise<T> {
    const before = this.tails.get(name);
    let release!: () => void;
    const tail = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.tails.set(name, tail);
    try {
      await before;
      return await action();
    } finally {
      if (this.tails.get(name) === tail) this.tails.delete(name);
      release();
    }
  }

  /** Names that somebody holds or waits for. */
  get size(): number {
    return this.tails.size;
  }
}
