/**
 * Memory that the gateway and one inference process share, so that tensors cross between them in two copies instead of
 * through a pipe in pieces of 64 KiB. It is a file without a name on a file system that lies in memory: it ends with the
 * last of the two processes, however they end. Where there is no such file system, or no room, the pipe carries all.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, read, readSync, unlinkSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SHARED_MEMORY = '/dev/shm';
/** The inputs and outputs of one job: a gradient at 1 megapixel takes 27 MB; what is larger goes through the pipe. */
const SLOT_BYTES = 1 << 25;
/**
 * Tensors start here in their pages. Buffers of this runtime start near the beginning of theirs, and a copy between
 * equal places of two pages is five times slower: the processor takes its loads for reads of what it has just stored.
 */
const PAGE_BYTES = 4096;
const PLACE_IN_PAGE = 512;

/**
 * A copy of at most so much is made at once: less than a millisecond, where a thread of the pool costs a fifth of one to
 * wake. It is memory, so nothing is waited for.
 */
const MAX_SYNC_BYTES = 1 << 22;

const readLater = promisify(read);
const writeLater = promisify(write);

async function readAt(fd: number, into: Uint8Array, at: number): Promise<number> {
  if (into.byteLength <= MAX_SYNC_BYTES) return readSync(fd, into, 0, into.byteLength, at);
  return (await readLater(fd, into, 0, into.byteLength, at)).bytesRead;
}

async function writeAt(fd: number, data: Uint8Array, at: number): Promise<number> {
  if (data.byteLength <= MAX_SYNC_BYTES) return writeSync(fd, data, 0, data.byteLength, at);
  return (await writeLater(fd, data, 0, data.byteLength, at)).bytesWritten;
}

/** Where outputs may be put. */
export interface Room {
  readonly at: number;
  readonly bytes: number;
}

/** The first position from `at` on that a tensor may start at. */
export function tensorPosition(at: number): number {
  return Math.ceil((at - PLACE_IN_PAGE) / PAGE_BYTES) * PAGE_BYTES + PLACE_IN_PAGE;
}

export class Exchange {
  readonly fd: number;
  #free: number[];
  #used = 0;
  #closed = false;

  private constructor(fd: number, slots: number) {
    this.fd = fd;
    this.#free = Array.from({ length: slots }, (_, i) => i * SLOT_BYTES);
  }

  /** Undefined where the machine has no memory file system that may be written. */
  static open(slots: number, directory: string = SHARED_MEMORY): Exchange | undefined {
    const path = join(directory, `latentbox-${randomUUID()}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return new Exchange(fd, slots);
    } catch {
      return undefined;
    }
  }

  /** Undefined when every slot is taken. */
  take(): Slot | undefined {
    const at = this.#closed ? undefined : this.#free.pop();
    if (at === undefined) return undefined;
    this.#used += 1;
    return new Slot(this.fd, at, () => {
      this.#used -= 1;
      this.#free.push(at);
      this.#closeUnused();
    });
  }

  /** The descriptor is closed when the last slot has been given back: its number must not name another file meanwhile. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#closed && this.#used === 0) closeSync(this.fd);
  }
}

/** One job's part of the exchange; the gateway writes inputs from its start on, the process writes outputs behind them. */
export class Slot {
  readonly #fd: number;
  readonly #end: number;
  readonly #release: () => void;
  #next: number;
  #released = false;

  constructor(fd: number, at: number, release: () => void) {
    this.#fd = fd;
    this.#next = tensorPosition(at);
    this.#end = at + SLOT_BYTES;
    this.#release = release;
  }

  /** What is left of it. */
  get room(): Room {
    return { at: this.#next, bytes: this.#end - this.#next };
  }

  /** Where the bytes lie now; undefined when they do not fit or the machine's shared memory is full. */
  async put(data: Uint8Array): Promise<number | undefined> {
    const at = this.#next;
    if (data.byteLength > this.#end - at) return undefined;
    try {
      if ((await writeAt(this.#fd, data, at)) < data.byteLength) return undefined;
    } catch {
      return undefined;
    }
    this.#next = tensorPosition(at + data.byteLength);
    return at;
  }

  /** Fills `into`. @throws Error when the bytes are not there */
  async get(at: number, into: Uint8Array): Promise<void> {
    const count = await readAt(this.#fd, into, at);
    if (count < into.byteLength) throw new Error(`the exchange holds ${count} of ${into.byteLength} bytes at ${at}`);
  }

  /** Calling it again does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#release();
  }
}
