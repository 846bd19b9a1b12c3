/** One device of this machine: an inference process with the sessions of its models, restarted when it ends. */
import { setTimeout as delay } from 'node:timers/promises';
import type { InstalledModel } from '../../models/installed-model.js';
import type { BufferPool } from '../buffer-pool.js';
import type { DeviceState, InferenceDevice, InferenceJob, InferenceResult } from '../device.js';
import { InferenceFailure, WorkerCrash } from '../errors.js';
import type { GraphKind } from '../graphs.js';
import { graphOf } from '../graphs.js';
import { Exchange } from './exchange.js';
import type { Call } from './process-host.js';
import { InferenceProcess } from './process-host.js';
import type { LocalProvider, Packet, Reply } from './protocol.js';
import { handOver, takeOutputs } from './tensor-transfer.js';

/** The running job and the next one, whose bytes are already in the process when the first ends. */
const JOBS_HELD = 2;
/** Pauses before the first, second, … restart in a row; the last one repeats. */
const RESTART_PAUSES_MS = [0, 500, 2_000, 10_000, 30_000];

export interface LocalDeviceOptions {
  readonly id: string;
  /** Which of several accelerators of the provider. */
  readonly deviceId: number;
  /** Threads of one CPU inference. */
  readonly threads: number;
  /** A run that takes longer is taken for hung: the process is ended and started again. */
  readonly runTimeoutMs: number;
  /** What outputs are copied into. */
  readonly buffers: BufferPool;
  /** One line about what happened to the process, for the log. */
  readonly onEvent: (event: 'stderr' | 'exit' | 'restarted' | 'restart-failed', detail: string) => void;
}

interface Loaded {
  readonly model: InstalledModel;
  readonly provider: LocalProvider;
}

/**
 * A session is made once per process and graph: sessions leak when they are made again, so whatever needs fresh ones
 * gets a fresh process. The decoder's session exists from `add` on, the others from their first use.
 */
export class LocalDevice implements InferenceDevice {
  readonly id: string;
  readonly capacity = JOBS_HELD;
  readonly parallel = 1;
  readonly widensHalf = true;
  readonly #options: LocalDeviceOptions;
  readonly #loaded = new Map<string, Loaded>();
  /** Outlives the processes: one after the other is given it. */
  readonly #exchange = Exchange.open(JOBS_HELD);
  #sessions = new Map<string, Promise<unknown>>();
  #process: InferenceProcess;
  #ready: Promise<void> = Promise.resolve();
  #state: DeviceState = 'starting';
  #restarts = 0;
  #crashesInARow = 0;

  constructor(options: LocalDeviceOptions) {
    this.id = options.id;
    this.#options = options;
    this.#process = this.#spawn();
  }

  get state(): DeviceState {
    return this.#state;
  }

  get models(): ReadonlySet<string> {
    return new Set(this.#loaded.keys());
  }

  serves(model: string, graph: GraphKind): boolean {
    return this.#loaded.get(model)?.model[graph] !== undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** What the runtime in the process says of itself. */
  async hello(): Promise<{ runtimeVersion: string; backends: readonly string[] }> {
    const { header } = await this.#process.call({ op: 'hello' }).reply;
    if (header.kind !== 'hello') throw new WorkerCrash(`unexpected answer ${header.kind}`);
    this.#state = 'ready';
    return header;
  }

  /**
   * Creates the decoder's session.
   * @throws InferenceFailure when the provider refuses the graph; WorkerCrash when the attempt ended the process
   */
  async add(model: InstalledModel, provider: LocalProvider): Promise<void> {
    this.#loaded.set(model.name, { model, provider });
    try {
      await this.#session(model.name, 'decoder');
    } catch (error) {
      this.remove(model.name);
      throw error;
    }
    this.#state = 'ready';
  }

  /**
   * Forgets a model; its session goes with the next {@link recycle}.
   * @returns whether the process may still hold a session of it
   */
  remove(model: string): boolean {
    const littered = this.#loaded.delete(model);
    this.#sessions.delete(sessionName(model, 'decoder'));
    return littered;
  }

  /** Replaces the process by a fresh one that holds the sessions of the present models only. No job may be running. */
  async recycle(): Promise<void> {
    await this.#process.close();
    this.#process = this.#spawn();
    await this.#loadAll();
  }

  async run(job: InferenceJob, signal: AbortSignal): Promise<InferenceResult> {
    await this.#ready;
    const entry = this.#loaded.get(job.model);
    if (entry === undefined) throw new InferenceFailure(`${this.id} has no model "${job.model}"`);
    const graph = graphOf(entry.model, job.graph);
    const process = this.#process;
    await this.#session(job.model, job.graph);
    signal.throwIfAborted();
    const slot = this.#exchange?.take();
    try {
      const { tensors, parts } = await handOver(graph.inputs, job.inputs, slot);
      signal.throwIfAborted();
      const session = sessionName(job.model, job.graph);
      const command = { op: 'run', session, tensors, ...(slot === undefined ? {} : { room: slot.room }) } as const;
      const { header, buffers } = await this.#answerOf(process.call(command, parts), process, signal);
      if (header.kind === 'cancelled') signal.throwIfAborted();
      if (header.kind !== 'result') throw new WorkerCrash(`unexpected answer ${header.kind}`);
      this.#crashesInARow = 0;
      const { startedAt, ms } = header;
      return { outputs: await takeOutputs(header.tensors, buffers, slot, this.#options.buffers), startedAt, ms };
    } finally {
      slot?.release();
    }
  }

  async #answerOf(call: Call, process: InferenceProcess, signal: AbortSignal): Promise<Packet<Reply>> {
    signal.addEventListener('abort', call.cancel, { once: true });
    const watchdog = setTimeout(() => process.kill(), this.#options.runTimeoutMs * JOBS_HELD);
    try {
      return await call.reply;
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', call.cancel);
    }
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#process.close();
    this.#exchange?.close();
  }

  #spawn(): InferenceProcess {
    this.#sessions = new Map();
    const process = new InferenceProcess(this.#exchange?.fd);
    process.on('stderr', (line) => this.#options.onEvent('stderr', line));
    process.on('exit', (reason) => {
      if (this.#process !== process) return;
      this.#options.onEvent('exit', reason);
      // A process that ends while it is being started again is the restart loop's own affair.
      if (this.#state === 'restarting') return;
      this.#ready = this.#restart();
    });
    return process;
  }

  /** Never rejects: what cannot be started leaves the device failed, and the jobs that wait for it are told so. */
  async #restart(): Promise<void> {
    for (;;) {
      if (this.#state === 'closed') return;
      this.#state = 'restarting';
      const pause = RESTART_PAUSES_MS[Math.min(this.#crashesInARow, RESTART_PAUSES_MS.length - 1)] ?? 0;
      this.#crashesInARow += 1;
      await delay(pause, undefined, { ref: false });
      if (this.#isClosed()) return;
      this.#process = this.#spawn();
      try {
        await this.#loadAll();
        this.#restarts += 1;
        this.#state = 'ready';
        this.#options.onEvent('restarted', `process ${this.pid}`);
        return;
      } catch (error) {
        this.#options.onEvent('restart-failed', error instanceof Error ? error.message : String(error));
        if (error instanceof InferenceFailure) {
          this.#state = 'failed';
          return;
        }
      }
    }
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  async #loadAll(): Promise<void> {
    for (const name of this.#loaded.keys()) await this.#session(name, 'decoder');
  }

  #session(name: string, kind: GraphKind): Promise<unknown> {
    const key = sessionName(name, kind);
    const existing = this.#sessions.get(key);
    if (existing !== undefined) return existing;
    const entry = this.#loaded.get(name);
    if (entry === undefined) return Promise.reject(new InferenceFailure(`${this.id} has no model "${name}"`));
    const { path } = graphOf(entry.model, kind);
    const { deviceId, threads } = this.#options;
    const created = this.#process.call({
      op: 'load',
      session: key,
      path,
      provider: entry.provider,
      deviceId,
      threads,
    }).reply;
    this.#sessions.set(key, created);
    return created;
  }
}

function sessionName(model: string, kind: GraphKind): string {
  return `${model}/${kind}`;
}
