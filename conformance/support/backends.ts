/** The stores that every scenario runs on: the embedded one, and a real S3 server of somebody else's behind the gateway. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { freePort, untilAnswers } from './ports.js';

export interface Backend {
  readonly name: string;
  /** Folder in which each bucket is a folder of plain files. */
  readonly files: string;
  /** Arguments and environment of `latentbox serve` for this backend. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function filesystemBackend(): Promise<Backend> {
  const files = await mkdtemp(join(tmpdir(), 'latentbox-data-'));
  return {
    name: 'filesystem store',
    files,
    args: ['--data', files],
    environment: {},
    close: () => rm(files, { recursive: true, force: true }),
  };
}

/** @returns undefined where versitygw is not installed */
export async function versitygwBackend(): Promise<Backend | undefined> {
  const binary = await findProgram('versitygw');
  if (binary === undefined) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'latentbox-versitygw-'));
  const files = join(directory, 'files');
  const state = join(directory, 'state');
  await mkdir(files);
  const port = await freePort();
  const server = spawn(
    binary,
    [
      '--access',
      'backend',
      '--secret',
      'backend-secret',
      '--port',
      `127.0.0.1:${port}`,
      'posix',
      '--sidecar',
      join(directory, 'sidecar'),
      files,
    ],
    { stdio: 'ignore' },
  );
  await mkdir(join(directory, 'sidecar'));
  await untilAnswers(port);
  return {
    name: 's3 store over versitygw',
    files,
    args: [],
    environment: {
      LATENTBOX_STORE_TYPE: 's3',
      LATENTBOX_STORE_ENDPOINT: `http://127.0.0.1:${port}`,
      LATENTBOX_STORE_ACCESS_KEY_ID: 'backend',
      LATENTBOX_STORE_SECRET_ACCESS_KEY: 'backend-secret',
      LATENTBOX_STATE_PATH: state,
    },
    close: async () => {
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
