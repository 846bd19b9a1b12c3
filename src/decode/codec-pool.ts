/** The threads that open containers and write PNGs, behind one first-come queue. */
import { Worker } from 'node:worker_threads';
import { CodecError } from '../../codec/index.js';
import type { CodecFault, CodecReply, CodecTask, OpenedLatent, OpenTask } from './codec-tasks.js';
import { overloaded, WorkerCrash } from './errors.js';
import { workerEntry } from './worker-entry.js';

export interface CodecPoolOptions {
  readonly threads: number;
  /** Tasks that may wait; one more is refused with SlowDown. */
  readonly maxQueued: number;
  /** A thread ended by itself; another has taken its place. */
  readonly onCrash: (reason: string) => void;
}

interface Job {
  readonly task: CodecTask;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (reply: CodecReply & { ok: true }) => void;
  readonly reject: (error: Error) => void;
}

/** A finished task with the thread's time for it, in milliseconds. */
export interface CodecResult<Value> {
  readonly value: Value;
  readonly ms: number;
  /** Transferred buffers that come back, with whatever is left in them. */
  readonly spent: readonly ArrayBuffer[];
}

function errorOf(fault: CodecFault): Error {
  if (fault.name === 'Error') return new Error(fault.message);
  return new CodecError(fault.format, fault.field, fault.message.slice(`${fault.format}: ${fault.field}: `.length));
}

interface Thread {
  worker: Worker;
  job?: Job;
}

export class CodecPool {
  readonly #options: CodecPoolOptions;
  readonly #threads: Thread[] = [];
  #queue: Job[] = [];
  #closing = false;

  constructor(options: CodecPoolOptions) {
    this.#options = options;
    for (let i = 0; i < options.threads; i++) this.#threads.push({ worker: this.#spawn() });
  }

  get queued(): number {
    return this.#queue.length;
  }

  get running(): number {
    return this.#threads.filter((thread) => thread.job !== undefined).length;
  }

  /**
   * @param transfer buffers that move to the worker; what is not named is copied
   * @throws CodecError as the task; S3Error SlowDown when the queue is full; WorkerCrash when the thread ended; the
   *   signal's reason when it aborts (a task that has begun runs on, its result is dropped)
   */
  async run(task: OpenTask, transfer: readonly ArrayBuffer[], signal: AbortSignal): Promise<CodecResult<OpenedLatent>>;
  async run(
    task: Exclude<CodecTask, OpenTask>,
    transfer: readonly ArrayBuffer[],
    signal: AbortSignal,
  ): Promise<CodecResult<Uint8Array>>;
  async run(
    task: CodecTask,
    transfer: readonly ArrayBuffer[],
    signal: AbortSignal,
  ): Promise<CodecResult<OpenedLatent | Uint8Array>> {
    signal.throwIfAborted();
    if (this.#closing) throw new WorkerCrash('the codec workers are closed');
    if (this.#queue.length >= this.#options.maxQueued) throw overloaded(0);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#queue = this.#queue.filter((other) => other !== job);
        reject(signal.reason as Error);
      };
      const job: Job = {
        task,
        transfer,
        resolve: (reply) => {
          signal.removeEventListener('abort', onAbort);
          resolve({ value: reply.value, ms: reply.ms, spent: reply.spent });
        },
        reject: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  /** Ends the threads; what waits or runs is rejected. */
  async close(): Promise<void> {
    this.#closing = true;
    const gone = new WorkerCrash('the codec workers are closed');
    for (const job of [...this.#queue, ...this.#threads.flatMap((thread) => thread.job ?? [])]) job.reject(gone);
    this.#queue = [];
    await Promise.all(this.#threads.map((thread) => thread.worker.terminate()));
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (thread.job !== undefined) continue;
      const job = this.#queue.shift();
      if (job === undefined) return;
      thread.job = job;
      thread.worker.postMessage(job.task, job.transfer);
    }
  }

  #spawn(): Worker {
    const worker = new Worker(workerEntry('codec-worker'));
    let reason = 'the codec worker ended';
    worker.on('message', (reply: CodecReply) => {
      const thread = this.#threadOf(worker);
      const job = thread?.job;
      if (thread !== undefined) delete thread.job;
      if (reply.ok) job?.resolve(reply);
      else job?.reject(errorOf(reply.fault));
      this.#dispatch();
    });
    worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      const thread = this.#threadOf(worker);
      if (this.#closing || thread === undefined) return;
      const job = thread.job;
      delete thread.job;
      thread.worker = this.#spawn();
      this.#options.onCrash(reason);
      job?.reject(new WorkerCrash(reason));
      this.#dispatch();
    });
    return worker;
  }

  #threadOf(worker: Worker): Thread | undefined {
    return this.#threads.find((thread) => thread.worker === worker);
  }
}
