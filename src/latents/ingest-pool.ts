/** A thread that parses and compresses uploads, so that the event loop goes on serving meanwhile. */
import { Worker } from 'node:worker_threads';
import { S3Error, type S3ErrorCode } from '../../s3-api/errors.js';
import type { Ingested, IngestRequest } from './ingest.js';

export type IngestTask =
  | { readonly kind: 'ingest'; readonly request: IngestRequest }
  | {
      readonly kind: 'attributes';
      readonly container: Uint8Array;
      readonly attributes: Readonly<Record<string, string>>;
    };

/** Errors cross threads as data: a structured clone keeps no class. */
export type IngestReply =
  | { readonly ok: true; readonly ingested?: Ingested; readonly container?: Uint8Array }
  | {
      readonly ok: false;
      readonly s3: {
        readonly code: S3ErrorCode;
        readonly message: string;
        readonly fields: Readonly<Record<string, string>>;
      };
    }
  | { readonly ok: false; readonly message: string };

/** From an uploaded file to a container. */
export interface LatentIngest {
  /** @throws S3Error InvalidRequest that says what is wrong with the upload */
  ingest(request: IngestRequest, signal: AbortSignal): Promise<Ingested>;
  /** The container with the caller's attributes put into its header. */
  withAttributes(
    container: Uint8Array,
    attributes: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
}

interface Job {
  readonly task: IngestTask;
  readonly resolve: (reply: IngestReply & { ok: true }) => void;
  readonly reject: (error: Error) => void;
}

/** First come, first served; how many uploads wait is bounded by whoever holds their bytes. */
export class IngestPool implements LatentIngest {
  #worker: Worker | undefined;
  #running: Job | undefined;
  #queue: Job[] = [];

  async ingest(request: IngestRequest, signal: AbortSignal): Promise<Ingested> {
    const { ingested } = await this.#run({ kind: 'ingest', request }, signal);
    if (!ingested) throw new Error('the ingest thread answered another task');
    return ingested;
  }

  async withAttributes(
    container: Uint8Array,
    attributes: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const reply = await this.#run({ kind: 'attributes', container, attributes }, signal);
    if (!reply.container) throw new Error('the ingest thread answered another task');
    return reply.container;
  }

  async close(): Promise<void> {
    const closed = new Error('the ingest thread is closed');
    for (const job of [...this.#queue, ...(this.#running ? [this.#running] : [])]) job.reject(closed);
    this.#queue = [];
    this.#running = undefined;
    await this.#worker?.terminate();
  }

  #run(task: IngestTask, signal: AbortSignal): Promise<IngestReply & { ok: true }> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#queue = this.#queue.filter((other) => other !== job);
        reject(signal.reason as Error);
      };
      const job: Job = {
        task,
        resolve: (reply) => {
          signal.removeEventListener('abort', onAbort);
          resolve(reply);
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

  #dispatch(): void {
    if (this.#running) return;
    this.#running = this.#queue.shift();
    if (!this.#running) return;
    this.#worker ??= this.#spawn();
    this.#worker.postMessage(this.#running.task);
  }

  #spawn(): Worker {
    const worker = new Worker(workerEntry());
    worker.on('message', (reply: IngestReply) => this.#finish(reply));
    worker.on('error', (error) => {
      this.#worker = undefined;
      this.#finish({ ok: false, message: error instanceof Error ? error.message : String(error) });
    });
    return worker;
  }

  #finish(reply: IngestReply): void {
    const job = this.#running;
    this.#running = undefined;
    if (reply.ok) job?.resolve(reply);
    else if ('s3' in reply) job?.reject(new S3Error(reply.s3.code, reply.s3.message, { fields: reply.s3.fields }));
    else job?.reject(new Error(reply.message));
    this.#dispatch();
  }
}

/** The compiled entry: beside this module, or in `dist/` where a test runs the sources. */
function workerEntry(): URL {
  const here = import.meta.url;
  return here.endsWith('.js')
    ? new URL('./ingest-worker.js', here)
    : new URL('../../dist/src/latents/ingest-worker.js', here);
}
