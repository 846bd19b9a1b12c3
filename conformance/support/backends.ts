/** The stores that every scenario runs on: the embedded one, and a real S3 server of somebody else's behind the gateway. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

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

const SERVER_START_TIMEOUT_MS = 20_000;

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

/** Looks in PATH, in Go's folder of programs, and where .ci/run installs. */
export async function findProgram(name: string): Promise<string | undefined> {
  const repositoryTools = fileURLToPath(new URL('../../.cache/ci/bin', import.meta.url));
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin'),
    repositoryTools,
  ];
  for (const folder of folders) {
    const candidate = join(folder, name);
    const found = await access(candidate).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilAnswers(port: number): Promise<void> {
  const deadline = Date.now() + SERVER_START_TIMEOUT_MS;
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    if (Date.now() > deadline) throw new Error(`nothing answers on port ${port}`);
    await delay(50);
  }
}
