/** How far a run is, for a progress bar and for reports. */
import type { ObjectOutcome } from './outcome.js';

export interface Progress {
  /** Objects that are settled, in this run or an earlier one. */
  readonly settled: number;
  /** Bytes of them as they were listed. */
  readonly settledBytes: number;
  /** Absent until the whole location has been listed once. */
  readonly total?: { readonly objects: number; readonly bytes: number };
  readonly outcomes: Readonly<Record<ObjectOutcome['kind'], number>>;
  /** Stored bytes that converted objects take less. */
  readonly savedBytes: number;
}

export class ProgressCounter {
  #settled = 0;
  #settledBytes = 0;
  #savedBytes = 0;
  #total: Progress['total'];
  readonly #outcomes: Record<ObjectOutcome['kind'], number> = {
    converted: 0,
    verbatim: 0,
    'already-latent': 0,
    restored: 0,
    failed: 0,
    changed: 0,
  };

  setTotal(objects: number, bytes: number): void {
    this.#total = { objects, bytes };
  }

  add(listedBytes: number, outcome: ObjectOutcome): void {
    this.#settled += 1;
    this.#settledBytes += listedBytes;
    this.#outcomes[outcome.kind] += 1;
    if (outcome.kind === 'converted') this.#savedBytes += outcome.bytesBefore - outcome.bytesAfter;
  }

  get(): Progress {
    return {
      settled: this.#settled,
      settledBytes: this.#settledBytes,
      ...(this.#total && { total: this.#total }),
      outcomes: { ...this.#outcomes },
      savedBytes: this.#savedBytes,
    };
  }
}
