/** A trace from text logs: one file, or a folder of files that are read in the order of their names. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashNormal } from '../random.js';
import { TraceError } from '../trace-error.js';
import type { TraceBatch } from '../trace.js';
import { FieldFault } from './numbers.js';
import type { LineParser, LogRecord } from './record.js';
import { readLines } from './text-lines.js';
import { TimeOrder } from './time-order.js';

export interface TextTraceOptions {
  readonly file: string;
  /** A fresh parser for each file. */
  readonly parser: () => LineParser;
  /** Size of a latent as a share of its PNG, where the log does not say; varied around it by object. */
  readonly latentShare: number;
  /** Records that may be out of order among themselves. */
  readonly sortWindow: number;
}

/** Spread of the logarithm of latent size over image size between objects. */
const LATENT_SHARE_SPREAD = 0.15;
const LATENT_SEED = 0x51ed270b;

/** The size of a latent whose image's size alone is known: the share, varied by object, at least 1 byte. */
export function estimatedLatentBytes(object: number, imageBytes: number, latentShare: number): number {
  const factor = Math.exp(LATENT_SHARE_SPREAD * hashNormal(LATENT_SEED, object));
  return Math.max(1, Math.round(imageBytes * latentShare * factor));
}

/** @throws TraceError at the first line that is not what the format says */
export async function* readTextTrace(options: TextTraceOptions): AsyncGenerator<TraceBatch, void> {
  const objects = new KnownObjects(options.latentShare);
  const order = new TimeOrder(options.sortWindow);
  for (const file of await filesOf(options.file)) {
    const parse = options.parser();
    for await (const { first, lines } of readLines(file)) {
      for (const [i, line] of lines.entries()) {
        if (line === '') continue;
        try {
          const record = parse(line);
          if (record === undefined) continue;
          if (!order.add(objects.request(record))) throw new FieldFault('time', lateness(options.sortWindow));
        } catch (error) {
          if (!(error instanceof FieldFault)) throw error;
          throw new TraceError({ file, line: first + i, field: error.field, problem: error.problem });
        }
        if (order.full) yield* order.batches(false);
      }
    }
  }
  yield* order.batches(true);
}

function lateness(window: number): string {
  return `more than ${window} records earlier than its place; sort the file by time, or read it with a larger window`;
}

/** @throws TraceError where nothing is there */
export async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    if (files.length === 0) throw new TraceError({ file: path, problem: 'the folder holds no file' });
    return files.sort();
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError({ file: path, problem: `cannot be opened: ${(error as Error).message}` });
  }
}

/** Numbers and sizes by key. An object keeps the sizes of its first record that has them. */
class KnownObjects {
  readonly #numbers = new Map<string, number>();
  readonly #imageBytes: (number | undefined)[] = [];
  readonly #latentBytes: number[] = [];

  constructor(readonly latentShare: number) {}

  request({ time, key, imageBytes, latentBytes }: LogRecord) {
    let object = this.#numbers.get(key);
    if (object === undefined) {
      object = this.#numbers.size;
      this.#numbers.set(key, object);
    }
    const known = (this.#imageBytes[object] ??= imageBytes);
    if (known === undefined)
      throw new FieldFault('size', 'neither this record nor an earlier one of the object tells its size');
    const latent = (this.#latentBytes[object] ??= latentBytes ?? estimatedLatentBytes(object, known, this.latentShare));
    return { time, object, imageBytes: known, latentBytes: latent };
  }
}
