/**
 * Where bodies are written before they are committed: a folder of this process's own, so that another process's
 * temporaries can be told from those of a dead one and only the latter are swept.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode } from './durable-files.js';

/** A process of another host (another container on the same volume) cannot be probed: its folder is left this long. */
const FOREIGN_OWNER_AGE_MS = 24 * 60 * 60 * 1000;
const OWNER_FILE = 'owner.json';

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Start of the process in clock ticks since boot, as a string, where the system tells: process ids come again. */
  readonly started: string;
}

/** A restarted container gets the same process id: what carries ours and is not in here was left by a predecessor. */
const ownDirectories = new Set<string>();

export interface StagedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

export class StagingArea {
  private count = 0;

  private constructor(private readonly directory: string) {}

  /** Sweeps what dead processes left in `parent` and makes a folder for this one. */
  static async open(parent: string): Promise<StagingArea> {
    await mkdir(parent, { recursive: true });
    for (const name of await readdir(parent)) {
      const directory = join(parent, name);
      if (await isAbandoned(directory)) await rm(directory, { recursive: true, force: true });
    }
    const directory = join(parent, `${process.pid}-${randomBytes(6).toString('hex')}`);
    ownDirectories.add(directory);
    await mkdir(directory);
    const owner: Owner = { host: hostname(), pid: process.pid, started: await startOfProcess(process.pid) };
    await writeFile(join(directory, OWNER_FILE), JSON.stringify(owner));
    return new StagingArea(directory);
  }

  /** A new empty file, open for reading and writing. Whoever asks for it renames or removes it. */
  async create(): Promise<StagedFile> {
    const path = join(this.directory, String(++this.count));
    return { path, handle: await open(path, 'wx+') };
  }

  async discard(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    ownDirectories.delete(this.directory);
  }
}

async function isAbandoned(directory: string): Promise<boolean> {
  if (ownDirectories.has(directory)) return false;
  const owner = await readOwner(directory);
  if (owner?.host === hostname()) return !(await isAlive(owner));
  try {
    return Date.now() - (await stat(directory)).mtimeMs > FOREIGN_OWNER_AGE_MS;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** `undefined` where the process died before it had written the file. */
async function readOwner(directory: string): Promise<Owner | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(directory, OWNER_FILE), 'utf8'));
    return isOwner(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function isOwner(value: unknown): value is Owner {
  return (
    typeof value === 'object' &&
    value !== null &&
    'host' in value &&
    typeof value.host === 'string' &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'started' in value &&
    typeof value.started === 'string'
  );
}

async function isAlive({ pid, started }: Owner): Promise<boolean> {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!hasErrorCode(error, 'EPERM')) return false;
  }
  return started === (await startOfProcess(pid));
}

/** Empty where the system has no `/proc`. */
async function startOfProcess(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc_pid_stat(5): field 22 is starttime; field 2, the name, is in parentheses and may hold spaces.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return '';
    throw error;
  }
}
