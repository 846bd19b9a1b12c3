/**
 * Index writes that nobody waits for: they ride along with the next transaction, so that a write costs one wait for the
 * disk's index and not two, or get one of their own soon after.
 */

/** While a record waits to be settled, a listing that meets it looks at the file as well. */
const SETTLE_AFTER_MS = 50;

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export class Settlements {
  private waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  /** @param transact - Runs an action as one durable transaction. */
  constructor(private readonly transact: <T>(action: () => T) => Promise<T>) {}

  /** Runs `write` in a transaction before any that is asked for after this call. A crash may come first. */
  later(write: () => void): void {
    this.waiting.push(write);
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // A settlement that fails leaves its record unsettled, which every reader understands.
      this.flushing = this.transaction(() => undefined).catch(() => undefined);
    }, SETTLE_AFTER_MS);
    this.timer.unref();
  }

  /** As the index's own, with everything that waits in front. An action that throws takes nothing else with it. */
  async transaction<T>(action: () => T): Promise<T> {
    const outcome = await this.transact((): Outcome<T> => {
      this.writeWaiting();
      try {
        return { value: action() };
      } catch (error) {
        return { error };
      }
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Resolves when nothing waits any more. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.flushing;
    if (this.waiting.length > 0) await this.transact(() => this.writeWaiting());
  }

  private writeWaiting(): void {
    const writes = this.waiting;
    this.waiting = [];
    for (const write of writes) write();
  }
}
