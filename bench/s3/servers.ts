/** S3 servers as processes of their own: the gateway over its embedded store, and a peer over plain files. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { findVersitygw, startVersitygw } from '../../src/stores/testing/versitygw.js';

const START_TIMEOUT_MS = 60_000;
const KIB = 1024;
const readySchema = z.object({ endpoint: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() });

export interface BenchServer {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly pid: number;
  close(): Promise<void>;
}

/** `latentbox serve` of this build, with its defaults. */
export async function startOurs(): Promise<BenchServer> {
  const directory = await mkdtemp(join(tmpdir(), 'latentbox-bench-'));
  const readyFile = join(directory, 'ready.json');
  const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const ports = ['--s3-port', '0', '--admin-port', '0'];
  const child = spawn(
    process.execPath,
    [program, 'serve', ...ports, '--ready-file', readyFile, '--data', join(directory, 'data')],
    { cwd: directory, stdio: 'ignore' },
  );
  const close = async () => {
    await stop(child);
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const text = await readFile(readyFile, 'utf8').catch(() => undefined);
    if (text !== undefined && child.pid !== undefined) {
      const { endpoint, ...credentials } = readySchema.parse(JSON.parse(text));
      return { endpoint, credentials, pid: child.pid, close };
    }
    await delay(50);
  }
  await close();
  throw new Error('the gateway did not start');
}

/** versitygw over plain files; undefined where it is not installed. */
export async function startPeer(): Promise<BenchServer | undefined> {
  const program = await findVersitygw();
  if (program === undefined) return undefined;
  const server = await startVersitygw(program);
  const { endpoint, pid, accessKeyId, secretAccessKey } = server;
  return { endpoint, credentials: { accessKeyId, secretAccessKey }, pid, close: () => server.close() };
}

/** Resident set of a process (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new Error(`/proc/${pid}/status names no VmRSS`);
  return Number(match[1]) * KIB;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
