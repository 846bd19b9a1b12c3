/** The built program as a child process with a configuration of its own, on free ports. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { packagePath } from '../../../src/package-root.js';

const START_TIMEOUT_MS = 120_000;
const readySchema = z.object({ endpoint: z.url(), adminEndpoint: z.url() });

/** Where a gateway or an image store finds its objects. */
export interface Backend {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface RunningServer {
  /** Base URL of its S3 front; objects are readable, and where it is a gateway writable, without credentials. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** @param cache the configuration's section `cache` */
export async function startGateway(
  backend: Backend,
  cache: Readonly<Record<string, unknown>>,
): Promise<RunningServer & { readonly credentials: { accessKeyId: string; secretAccessKey: string } }> {
  const folder = await mkdtemp(join(tmpdir(), 'latentbox-experiment-'));
  const readyFile = join(folder, 'ready.json');
  const configFile = join(folder, 'gateway.yaml');
  const credentials = { accessKeyId: 'experiment', secretAccessKey: 'experiment-secret' };
  const config = {
    s3: { port: 0 },
    admin: { port: 0 },
    store: { type: 's3', ...backend, forcePathStyle: true },
    state: { path: join(folder, 'state') },
    credentials: [{ name: 'experiment', ...credentials }],
    anonymous: [{ actions: ['s3:GetObject'], resources: ['*'] }],
    cache,
    log: { level: 'error' },
  };
  await writeFile(configFile, stringify(config));
  const program = packagePath('dist/src/cli/main.js');
  const child = spawn(process.execPath, [program, 'serve', '--config', configFile, '--ready-file', readyFile], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const text = await readFile(readyFile, 'utf8').catch(() => undefined);
    if (text !== undefined) return { ...readySchema.parse(JSON.parse(text)), credentials, close };
    await delay(50);
  }
  await close();
  throw new Error('the gateway did not start; what it wrote to stderr says why');
}
