/** A real S3 server that this project did not write (versitygw, posix backend), started on a free port for a test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram } from './find-program.js';
import { makeTemporaryDirectory } from './temporary-directory.js';

const START_TIMEOUT_MS = 20_000;

export interface RunningVersitygw {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly pid: number;
  close(): Promise<void>;
}

/** Why a test that needs the server is skipped. */
export const VERSITYGW_MISSING =
  'versitygw is in none of PATH, GOPATH/bin and .cache: go install github.com/versity/versitygw/cmd/versitygw@latest';

/** The program, or `undefined` where it is not installed. */
export function findVersitygw(): Promise<string | undefined> {
  return findProgram('versitygw');
}

export async function startVersitygw(program: string): Promise<RunningVersitygw> {
  const directory = await makeTemporaryDirectory();
  const files = join(directory.path, 'files');
  const sidecar = join(directory.path, 'sidecar');
  await mkdir(files);
  await mkdir(sidecar);
  const port = await freePort();
  const [accessKeyId, secretAccessKey] = ['backend', 'backend-secret'];
  const server = spawn(
    program,
    [
      '--access',
      accessKeyId,
      '--secret',
      secretAccessKey,
      '--port',
      `127.0.0.1:${port}`,
      '--quiet',
      '--keep-alive',
      'posix',
      '--sidecar',
      sidecar,
      files,
    ],
    { stdio: 'ignore' },
  );
  const exited = once(server, 'exit');
  const endpoint = `http://127.0.0.1:${port}`;
  const close = async () => {
    server.kill('SIGKILL');
    await exited;
    await directory.remove();
  };
  try {
    await untilAnswers(endpoint);
  } catch (error) {
    await close();
    throw error;
  }
  return { endpoint, accessKeyId, secretAccessKey, pid: server.pid ?? 0, close };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilAnswers(endpoint: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await (await fetch(endpoint)).body?.cancel();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${endpoint} does not answer`, { cause: error });
      await delay(50);
    }
  }
}
