/** Directory changes that survive a power cut, and the errors of file systems. */
import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';

export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

interface Sync {
  readonly running: Promise<void>;
  next?: Promise<void>;
}

/** Flushes folders; callers that ask while a flush of the same folder runs share the next one. */
export class DirectorySyncs {
  private readonly syncs = new Map<string, Sync>();

  /** Resolves when every change made in `directory` before this call is on the disk. */
  async sync(directory: string): Promise<void> {
    const current = this.syncs.get(directory);
    if (current === undefined) return this.start(directory);
    current.next ??= current.running.then(
      () => this.start(directory),
      () => this.start(directory),
    );
    return current.next;
  }

  private start(directory: string): Promise<void> {
    const running = flush(directory);
    const entry: Sync = { running };
    this.syncs.set(directory, entry);
    const forget = () => {
      if (this.syncs.get(directory) === entry && entry.next === undefined) this.syncs.delete(directory);
    };
    running.then(forget, forget);
    return running;
  }

  /** Makes a folder with its parents, and every new name in it durable. */
  async makeDirectory(directory: string): Promise<void> {
    const first = await mkdir(directory, { recursive: true });
    if (first === undefined) return;
    for (let made = directory; ; made = dirname(made)) {
      await this.sync(dirname(made));
      if (made === first) return;
    }
  }
}

async function flush(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes `directory` and its parents while they are empty, up to `root`, which stays. */
export async function removeEmptyDirectories(directory: string, root: string): Promise<void> {
  for (let current = directory; current !== root && current.startsWith(root); current = dirname(current)) {
    try {
      await rmdir(current);
    } catch (error) {
      if (hasErrorCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
  }
}
