/**
 * Against the KServe project's own model server, as PyPI's `kserve` installs it. `LATENTBOX_TEST_PYTHON` names a Python
 * that has `kserve` and `onnxruntime`; without it, `python3` is asked.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { InstalledModel } from '../../models/installed-model.js';
import { ByteSemaphore } from '../byte-semaphore.js';
import type { DecodePipeline } from '../pipeline-contract.js';
import { createDecodePipeline } from '../pipeline.js';
import { testContainer } from '../testing/test-container.js';
import { TEST_CHANNELS, TEST_FACTOR, writeTestModel } from '../testing/test-model.js';
import type { KserveOptions } from './kserve-options.js';

const PYTHON = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';
const SCRIPT = join(import.meta.dirname, 'testing/kserve_server.py');
const available = spawnSync(PYTHON, ['-c', 'import kserve, onnxruntime']).status === 0;
const NEVER = new AbortController().signal;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/v2/models/vae-decoder/ready`)).ok;
  } catch {
    return false;
  }
}

interface RemoteServer {
  readonly url: string;
  readonly process: ChildProcess;
}

async function startRemoteServer(model: InstalledModel): Promise<RemoteServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // A process group of its own: the server is a grandchild.
  const child = spawn(PYTHON, [SCRIPT, model.decoder.path, String(port)], { stdio: 'ignore', detached: true });
  await vi.waitUntil(() => isReady(url), { timeout: 90_000, interval: 300 });
  return { url, process: child };
}

async function stopRemoteServer({ process: child }: RemoteServer): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await exited;
}

describe.skipIf(!available)(
  `kserve against a real server${available ? '' : ' (skipped: no kserve, see LATENTBOX_TEST_PYTHON)'}`,
  () => {
    let directory: string;
    let model: InstalledModel;
    let servers: RemoteServer[] = [];

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'latentbox-kserve-'));
      model = await writeTestModel(directory, 'small');
      servers = await Promise.all([startRemoteServer(model), startRemoteServer(model)]);
    }, 120_000);
    afterAll(async () => {
      await Promise.all(servers.map(stopRemoteServer));
      await rm(directory, { recursive: true });
    });

    async function started(
      kserve: KserveOptions | undefined,
      onEvent: (event: string) => void = () => undefined,
    ): Promise<DecodePipeline> {
      const memory = new ByteSemaphore({ capacity: 1 << 28, maxWaiting: 64 });
      const pipeline = createDecodePipeline({
        models: [model],
        providers: ['cpu'],
        threads: 1,
        codecWorkers: 1,
        queueDepth: 64,
        memory,
        observer: { onEvent },
        ...(kserve === undefined ? {} : { kserve }),
      });
      await pipeline.start();
      return pipeline;
    }

    function request(): { model: string; container: Uint8Array } {
      const container = testContainer({
        model: 'small',
        channels: TEST_CHANNELS,
        factor: TEST_FACTOR,
        width: 300,
        height: 200,
      });
      return { model: 'small', container };
    }

    function remote(...endpoints: readonly string[]): KserveOptions {
      return { endpoints, models: { small: { name: 'vae-decoder' } }, healthIntervalMs: 200 };
    }

    it('decodes there to the pixels that are decoded here, spread over the endpoints', async () => {
      const there = await started(remote(...servers.map(({ url }) => url)));
      const here = await started(undefined);
      try {
        expect(there.placements()[0]).toMatchObject({ provider: 'kserve', devices: ['kserve'] });
        expect(there.decoderClass('small')).not.toBe(here.decoderClass('small'));
        const expected = await here.renderPixels(request(), NEVER);
        const rendered = await Promise.all(Array.from({ length: 12 }, () => there.renderPixels(request(), NEVER)));
        for (const { pixels } of rendered) expect(Buffer.compare(pixels, expected.pixels)).toBe(0);
      } finally {
        await Promise.all([there.close(), here.close()]);
      }
    });

    it('says why and decodes here when the remote model is not there', async () => {
      const [{ url } = { url: '' }] = servers;
      const pipeline = await started({ ...remote(url), models: { small: { name: 'other' } } });
      try {
        expect(pipeline.placements()[0]).toMatchObject({
          provider: 'cpu',
          refused: [{ provider: 'kserve', reason: expect.stringContaining('other') as unknown }],
        });
        await expect(pipeline.render(request(), NEVER)).resolves.toBeDefined();
      } finally {
        await pipeline.close();
      }
    });

    it('goes on with the other endpoint when one dies', async () => {
      const victim = await startRemoteServer(model);
      const [survivor] = servers;
      if (survivor === undefined) throw new Error('a server');
      const events: string[] = [];
      const pipeline = await started(remote(victim.url, survivor.url), (event) => events.push(event));
      try {
        const renders = Array.from({ length: 16 }, () => pipeline.render(request(), NEVER));
        await stopRemoteServer(victim);
        expect(await Promise.all(renders)).toHaveLength(16);
        await expect(pipeline.render(request(), NEVER)).resolves.toBeDefined();
        await expect.poll(() => events).toContain('endpoint-down');
        expect(pipeline.status()[0]).toMatchObject({ id: 'kserve', state: 'ready' });
      } finally {
        await pipeline.close();
        await stopRemoteServer(victim);
      }
    }, 120_000);

    it('gives up at its deadline when no endpoint answers', async () => {
      const victim = await startRemoteServer(model);
      const pipeline = await started({ ...remote(victim.url), deadlineMs: 600 });
      try {
        await stopRemoteServer(victim);
        const startedAt = performance.now();
        await expect(pipeline.render(request(), NEVER)).rejects.toMatchObject({ name: 'S3Error' });
        expect(performance.now() - startedAt).toBeLessThan(3_000);
      } finally {
        await pipeline.close();
      }
    }, 120_000);
  },
);
