/** Threads that convert pictures, so that measuring, searching and compressing never hold up the gateway's own thread. */
import { Worker } from 'node:worker_threads';
import type { DecodePipeline } from '../decode/index.js';
import { overloaded } from '../decode/errors.js';
import type { InstalledModel } from '../models/installed-model.js';
import type { Conversion, ConversionOptions, PictureConverter } from './conversion.js';
import type { EngineCall, FromThread, ToThread } from './conversion-messages.js';

export interface ConversionPoolOptions {
  readonly pipeline: Pick<DecodePipeline, 'runGraph' | 'renderPixels'>;
  readonly models: readonly InstalledModel[];
  /** Conversions that are at work together: while one waits for a device, another may compute. */
  readonly concurrency: number;
  /** Conversions that may wait; one more is refused with SlowDown. */
  readonly maxWaiting: number;
}

interface Job {
  readonly id: number;
  readonly png: Uint8Array;
  readonly options: ConversionOptions;
  readonly signal: AbortSignal;
  readonly resolve: (conversion: Conversion) => void;
  readonly reject: (error: unknown) => void;
  /** What the pipeline said to a call of this conversion. */
  refusal?: { readonly call: number; readonly error: unknown };
}

/** The thread exists from the first conversion on; one that ended by itself is replaced by the next. */
export class ConversionPool implements PictureConverter {
  readonly #running = new Map<number, Job>();
  #waiting: Job[] = [];
  #worker: Worker | undefined;
  #jobs = 0;
  #closed = false;

  constructor(private readonly options: ConversionPoolOptions) {}

  /** Conversions that wait and that run. */
  get load(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#waiting.length, running: this.#running.size };
  }

  async convert(png: Uint8Array, options: ConversionOptions, signal: AbortSignal): Promise<Conversion> {
    signal.throwIfAborted();
    if (this.#closed) throw new Error('the conversion thread is closed');
    if (this.#waiting.length >= this.options.maxWaiting) throw overloaded(0);
    return new Promise((resolve, reject) => {
      this.#jobs += 1;
      const settle = <Value>(end: (value: Value) => void) => {
        return (value: Value): void => {
          signal.removeEventListener('abort', onAbort);
          end(value);
        };
      };
      const job: Job = { id: this.#jobs, png, options, signal, resolve: settle(resolve), reject: settle(reject) };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== job);
        job.reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(job);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rejectAll(new Error('the conversion thread is closed'));
    await this.#worker?.terminate();
  }

  #dispatch(): void {
    while (this.#running.size < this.options.concurrency) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#running.set(job.id, job);
      this.#tell({ kind: 'convert', job: job.id, png: job.png, options: job.options });
    }
  }

  #tell(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker ??= this.#spawn();
    this.#worker.postMessage(message, transfer);
  }

  #spawn(): Worker {
    const worker = new Worker(workerEntry(), { workerData: this.options.models });
    worker.on('message', (message: FromThread) => this.#hear(message));
    worker.on('error', (error) => this.#ended(worker, error));
    worker.on('exit', () => this.#ended(worker, new Error('the conversion thread ended')));
    return worker;
  }

  #ended(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const lost = [...this.#running.values()];
    this.#running.clear();
    for (const job of lost) job.reject(error);
    if (!this.#closed) this.#dispatch();
  }

  #rejectAll(error: Error): void {
    for (const job of [...this.#waiting, ...this.#running.values()]) job.reject(error);
    this.#waiting = [];
    this.#running.clear();
  }

  #hear(message: FromThread): void {
    if (message.kind === 'call') {
      void this.#serve(message.request);
      return;
    }
    const job = this.#running.get(message.job);
    this.#running.delete(message.job);
    if (message.kind === 'converted') job?.resolve(message.conversion);
    else if (message.call !== undefined && job?.refusal?.call === message.call) job.reject(job.refusal.error);
    else job?.reject(new Error(message.message));
    this.#dispatch();
  }

  async #serve(request: EngineCall): Promise<void> {
    const { call } = request;
    const job = this.#running.get(request.job);
    if (job === undefined) return;
    const { pipeline } = this.options;
    try {
      if (request.method === 'runGraph') {
        const value = await pipeline.runGraph(request.model, request.graph, request.inputs, job.signal);
        this.#tell({ kind: 'answer', call, value }, [...new Set(value.outputs.map(({ data }) => data.buffer))]);
      } else {
        const value = await pipeline.renderPixels(request, job.signal);
        this.#tell({ kind: 'answer', call, value });
      }
    } catch (error) {
      job.refusal = { call, error };
      this.#tell({ kind: 'refusal', call });
    }
  }
}

/** The compiled entry: beside this module, or in `dist/` where a test runs the sources. */
function workerEntry(): URL {
  const here = import.meta.url;
  return here.endsWith('.js')
    ? new URL('./conversion-worker.js', here)
    : new URL('../../dist/src/conversion/conversion-worker.js', here);
}
