/** The gateway's side of one inference process: starts it, talks to it, notices its end, starts it again. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { InferenceFailure, WorkerCrash } from '../errors.js';
import { workerEntry } from '../worker-entry.js';
import { FrameReader, writeFrame } from './frames.js';
import type { Packet, Reply, Request } from './protocol.js';
import { replySchema } from './protocol.js';

/** Lines of a dead process's stderr that its error quotes: enough for the runtime's message, no flood. */
const STDERR_TAIL_LINES = 5;

/** A request as its caller gives it: the host adds the id. */
export type Command = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

interface Pending {
  readonly resolve: (packet: Packet<Reply>) => void;
  readonly reject: (error: Error) => void;
}

interface ProcessEvents {
  /** The process ended without being asked to; `reason` is one line. */
  exit: [reason: string];
  /** A line that the process wrote on stderr. */
  stderr: [line: string];
}

/** What a call in flight can be told. */
export interface Call {
  readonly reply: Promise<Packet<Reply>>;
  /** Asks the process to drop the job if it has not begun. */
  readonly cancel: () => void;
}

/**
 * One run of an inference process, from spawn to exit. It is never stopped in mid-run except by {@link kill}: a thread
 * inside native code cannot be unwound, a process can be ended.
 */
export class InferenceProcess extends EventEmitter<ProcessEvents> {
  readonly #child: ChildProcess;
  readonly #pipe: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #stderrTail: string[] = [];
  #nextId = 1;
  #closing = false;
  #ended = false;

  /** @param exchange descriptor of the memory that is shared with it, where there is one */
  constructor(exchange?: number) {
    super();
    this.#child = spawn(process.execPath, [fileURLToPath(workerEntry('inference/inference-process'))], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', exchange ?? 'ignore'],
    });
    this.#pipe = this.#child.stdio[3] as Socket;
    const reader = new FrameReader((frame) => this.#receive(replySchema.parse(frame.header), frame.buffers));
    this.#pipe.on('data', (chunk: Buffer) => reader.push(chunk));
    // Its end is told by 'exit'; a write to a process that just died is no news.
    this.#pipe.on('error', () => undefined);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#readStderr(text));
    this.#exited = new Promise((resolve) => {
      const end = (reason: string): void => {
        this.#end(reason);
        resolve();
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('close', (code, signal) =>
        end(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`),
      );
    });
  }

  /** Process id, for the log and for tests that end it; absent when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return !this.#ended;
  }

  /** Sends one request; the buffers are written as they are, so they must not change until the reply. */
  call(command: Command, buffers: readonly Uint8Array[] = []): Call {
    const id = this.#nextId++;
    const reply = new Promise<Packet<Reply>>((resolve, reject) => {
      if (this.#ended) {
        reject(new WorkerCrash('the inference process is gone', false));
        return;
      }
      this.#pending.set(id, { resolve, reject });
      writeFrame(this.#pipe, { ...command, id }, buffers);
    });
    const cancel = (): void => {
      if (this.#pending.has(id)) writeFrame(this.#pipe, { op: 'cancel', id }, []);
    };
    return { reply, cancel };
  }

  /** Ends the process: its pipe closes, and it exits by itself even when a run is going on. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#pipe.end();
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Ends a process that hangs; what it held is rejected as after a crash. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(header: Reply, buffers: readonly Uint8Array<ArrayBuffer>[]): void {
    const pending = this.#pending.get(header.id);
    this.#pending.delete(header.id);
    if (header.kind === 'failed') pending?.reject(new InferenceFailure(header.message));
    else pending?.resolve({ header, buffers });
  }

  #readStderr(text: string): void {
    for (const line of text.split('\n').map((part) => part.trim())) {
      if (line === '') continue;
      this.#stderrTail = [...this.#stderrTail, line].slice(-STDERR_TAIL_LINES);
      this.emit('stderr', line);
    }
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const told = this.#stderrTail.length === 0 ? '' : `: ${this.#stderrTail.join(' | ')}`;
    // Jobs are taken in the order in which they were sent, so only the oldest can have been running.
    let begun = true;
    for (const { reject } of this.#pending.values()) {
      reject(new WorkerCrash(`the inference process ended with ${reason}${told}`, begun));
      begun = false;
    }
    this.#pending.clear();
    if (!this.#closing) this.emit('exit', reason);
  }
}
