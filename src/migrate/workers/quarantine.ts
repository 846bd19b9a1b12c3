/** Lets work that may end the whole process run alone, so that it takes nothing else with it. */
export class Quarantine {
  #together = 0;
  #alone = false;
  #wantAlone = 0;
  #waiting: (() => void)[] = [];

  /** Beside anything else that is done together. */
  async together<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone || this.#wantAlone > 0) await this.#change();
    this.#together += 1;
    try {
      return await work();
    } finally {
      this.#together -= 1;
      this.#changed();
    }
  }

  /** When everything that was begun has ended, and before anything that comes later. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.#wantAlone += 1;
    while (this.#alone || this.#together > 0) await this.#change();
    this.#wantAlone -= 1;
    this.#alone = true;
    try {
      return await work();
    } finally {
      this.#alone = false;
      this.#changed();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
