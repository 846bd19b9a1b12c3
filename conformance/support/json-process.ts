/** A client library in another language: a program that answers one line of JSON for each line that it is sent. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const STOP_TIMEOUT_MS = 5_000;

const answerSchema = z.union([z.object({ result: z.unknown() }), z.object({ error: z.string() })]);

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class JsonProcess {
  readonly #child: ChildProcess;
  readonly #waiting: Waiter[] = [];
  #stderr = '';

  constructor(program: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    const child = spawn(program, args, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    const fail = (why: string) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`${program} ${why}:\n${this.#stderr}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`exited with ${String(code)}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const waiter = this.#waiting.shift();
      const answer = answerSchema.parse(JSON.parse(line));
      if ('error' in answer) waiter?.reject(new Error(answer.error));
      else waiter?.resolve(answer.result);
    });
  }

  /** Calls one function of the program; calls are answered in order. @throws Error with what the program says */
  async call(operation: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#child.stdin?.write(`${JSON.stringify({ operation, ...parameters })}\n`);
    return answered;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }
}
