/** The door of the pipeline: a place, then bytes, then the work, tried again after a crash; every outcome is told. */
import { setMaxListeners } from 'node:events';
import { S3Error } from '../../s3-api/errors.js';
import type { InstalledModel } from '../models/installed-model.js';
import type { AdmissionGate } from './admission-gate.js';
import type { ByteSemaphore } from './byte-semaphore.js';
import { tooManyPixels, undecodable, WorkerCrash } from './errors.js';
import type { DecodeObserver } from './observer.js';

/** A request whose own run may have ended the worker is tried once more; one that only stood behind it, more often. */
const MAX_BEGUN_CRASHES = 1;
const MAX_CRASHES = 5;

/** A request that is inside. */
export interface Ticket {
  readonly signal: AbortSignal;
  readonly model: InstalledModel;
  /** How long it waited for its bytes, in milliseconds. */
  readonly waitedMs: number;
  /** Inferences that may outlive their caller; the bytes are given back after them. */
  readonly settled: Promise<void>[];
}

/** What a request will hold at most. */
export interface Needs {
  readonly bytes: number;
  readonly pixels: number;
}

export interface AdmissionOptions {
  readonly gate: AdmissionGate;
  readonly memory: ByteSemaphore;
  readonly maxPixels: number;
  /** How long the work that is queued now will take, for whoever is turned away. */
  readonly expectedWaitMs: () => number;
  readonly observer: DecodeObserver;
}

export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * @param needsOf is asked first; what it throws is the request's failure
   * @throws S3Error, whatever `work` throws; the signal's reason when it aborts
   */
  async run<Result>(
    model: InstalledModel,
    caller: AbortSignal,
    needsOf: () => Needs,
    work: (ticket: Ticket) => Promise<Result>,
  ): Promise<Result> {
    // A signal of the request's own: every tile listens to it, and callers may share theirs between many requests.
    const signal = AbortSignal.any([caller]);
    setMaxListeners(0, signal);
    try {
      signal.throwIfAborted();
      return await this.#inside(model, signal, needsOf(), work);
    } catch (error) {
      throw this.#told(error, model.name, signal);
    }
  }

  async #inside<Result>(
    model: InstalledModel,
    signal: AbortSignal,
    needs: Needs,
    work: (ticket: Ticket) => Promise<Result>,
  ): Promise<Result> {
    const { gate, memory, maxPixels, expectedWaitMs, observer } = this.#options;
    if (needs.pixels > maxPixels) throw tooManyPixels(needs.pixels, maxPixels);
    const leave = gate.enter(expectedWaitMs);
    try {
      const started = performance.now();
      const release = await memory.acquire(needs.bytes, signal);
      const ticket: Ticket = { signal, model, settled: [], waitedMs: performance.now() - started };
      try {
        const result = await this.#withRetries(ticket, () => work(ticket));
        observer.onOutcome?.('done', model.name);
        return result;
      } finally {
        void Promise.allSettled(ticket.settled).then(release);
      }
    } finally {
      leave();
    }
  }

  async #withRetries<Result>(ticket: Ticket, work: () => Promise<Result>): Promise<Result> {
    let begun = 0;
    for (let crashes = 1; ; crashes++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof WorkerCrash) || ticket.signal.aborted) throw error;
        if (error.begun) begun += 1;
        if (begun > MAX_BEGUN_CRASHES || crashes >= MAX_CRASHES) throw error;
        this.#options.observer.onRetry?.(ticket.model.name);
      }
    }
  }

  #told(error: unknown, model: string, signal: AbortSignal): unknown {
    const { observer } = this.#options;
    if (signal.aborted) {
      observer.onOutcome?.('cancelled', model);
      return error;
    }
    const shed = error instanceof S3Error && error.code === 'SlowDown';
    observer.onOutcome?.(shed ? 'shed' : 'failed', model);
    return error instanceof S3Error ? error : undecodable(error);
  }
}
