import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CodecError } from '../../codec/index.js';
import type { InstalledModel } from '../models/installed-model.js';
import { ByteSemaphore } from './byte-semaphore.js';
import { toFloat32 } from './half-floats.js';
import type { HostTensor } from './inference/tensors.js';
import type { DecodeOptions } from './options.js';
import type { DecodePipeline } from './pipeline-contract.js';
import { createDecodePipeline } from './pipeline.js';
import { testContainer } from './testing/test-container.js';
import { TEST_CHANNELS, TEST_FACTOR, writeTestModel } from './testing/test-model.js';

const NEVER = new AbortController().signal;
const SMALL = { channels: TEST_CHANNELS, factor: TEST_FACTOR, width: 100, height: 60 };
/** Large enough that a decode takes tens of milliseconds. */
const LARGE = { ...SMALL, width: 1200, height: 1200 };

let directory: string;
let model: InstalledModel;
const open: DecodePipeline[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latentbox-decode-'));
  model = await writeTestModel(directory, 'small');
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  await Promise.all(open.splice(0).map((pipeline) => pipeline.close()));
});

async function started(options: Partial<DecodeOptions> = {}): Promise<DecodePipeline> {
  const pipeline = createDecodePipeline({
    models: [model],
    providers: ['cpu'],
    threads: 1,
    codecWorkers: 1,
    queueDepth: 64,
    memory: new ByteSemaphore({ capacity: 1 << 28, maxWaiting: 64 }),
    ...options,
  });
  open.push(pipeline);
  await pipeline.start();
  return pipeline;
}

async function pixelsOf(png: Uint8Array): Promise<{ data: Buffer; width: number; height: number }> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** A zombie that nobody reaps has ended, too. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the decode pipeline', () => {
  it('renders a container to a PNG of the picture, cropped from the padded decode', async () => {
    const pipeline = await started();
    const container = testContainer({ ...SMALL, model: 'small' });
    const { png, width, height, timings } = await pipeline.render({ model: 'small', container }, NEVER);
    const read = await pixelsOf(png);
    expect([width, height, read.width, read.height]).toEqual([100, 60, 100, 60]);
    const raw = await pipeline.renderPixels({ model: 'small', container }, NEVER);
    expect(Buffer.compare(read.data, raw.pixels)).toBe(0);
    expect(new Set(raw.pixels).size).toBeGreaterThan(50);
    expect(timings.decode).toBeGreaterThan(0);
    expect(pipeline.load()).toMatchObject({ requests: 0, bytesHeld: 0 });
  });

  it('gives the same bytes run to run, process to process and after a restart', async () => {
    const pipeline = await started({ cpuProcesses: 2 });
    const request = { model: 'small', container: testContainer({ ...SMALL, model: 'small' }) };
    const rendered = await Promise.all(Array.from({ length: 6 }, () => pipeline.render(request, NEVER)));
    const again = await (await started()).render(request, NEVER);
    for (const { png } of rendered) expect(Buffer.compare(png, again.png)).toBe(0);
    expect(pipeline.placements()[0]?.devices).toEqual(['cpu-0', 'cpu-1']);
  });

  it('scales latents that come in the space of the VAE', async () => {
    const pipeline = await started();
    const scaled = await pipeline.renderPixels(
      { model: 'small', container: testContainer({ ...SMALL, model: 'small' }) },
      NEVER,
    );
    const raw = await pipeline.renderPixels(
      { model: 'small', container: testContainer({ ...SMALL, model: 'small', scaled: false }) },
      NEVER,
    );
    expect(Buffer.compare(scaled.pixels, raw.pixels)).not.toBe(0);
  });

  it('decodes a model of half precision', async () => {
    const half = await writeTestModel(directory, 'half', { precision: 'f16' });
    const pipeline = await started({ models: [model, half] });
    const ours = await pipeline.renderPixels(
      { model: 'half', container: testContainer({ ...SMALL, model: 'half' }) },
      NEVER,
    );
    const single = await pipeline.renderPixels(
      { model: 'small', container: testContainer({ ...SMALL, model: 'small' }) },
      NEVER,
    );
    expect(Buffer.compare(ours.pixels, single.pixels)).toBe(0);
    expect(pipeline.decoderClass('half')).not.toBe(pipeline.decoderClass('small'));
  });

  it('cuts a large picture into tiles whose seams do not show', async () => {
    const container = testContainer({ ...LARGE, model: 'small' });
    const whole = await (await started()).renderPixels({ model: 'small', container }, NEVER);
    const tiled = await (
      await started({ maxTilePixels: 700 * 700 })
    ).renderPixels({ model: 'small', container }, NEVER);
    let worst = 0;
    for (let i = 0; i < whole.pixels.length; i++)
      worst = Math.max(worst, Math.abs((whole.pixels[i] ?? 0) - (tiled.pixels[i] ?? 0)));
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('pads the PNG to a length, or by a slack', async () => {
    const pipeline = await started();
    const request = { model: 'small', container: testContainer({ ...SMALL, model: 'small' }) };
    const plain = await pipeline.render(request, NEVER);
    const slack = await pipeline.render({ ...request, size: { slack: { minBytes: 64, share: 1 / 512 } } }, NEVER);
    expect(slack.png.byteLength).toBe(plain.png.byteLength + Math.max(64, Math.ceil(plain.png.byteLength / 512)));
    const exact = await pipeline.render({ ...request, size: { exact: slack.png.byteLength } }, NEVER);
    expect(Buffer.compare(exact.png, slack.png)).toBe(0);
  });

  it('runs the encoder on the same queue', async () => {
    const pipeline = await started();
    const input = { type: 'uint8', dims: [1, 64, 64, 3], data: new Uint8Array(64 * 64 * 3).fill(200) } as const;
    const { outputs } = await pipeline.runGraph('small', 'encoder', [input], NEVER);
    expect(outputs[0]).toMatchObject({ type: 'float32', dims: [1, TEST_CHANNELS, 8, 8] });
    await expect(pipeline.runGraph('small', 'decoderVjp', [input], NEVER)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });
  });

  it('takes tensors that are too large for the shared memory through the pipe', async () => {
    const pipeline = await started();
    const [height, width] = [2400, 5000];
    const data = new Uint8Array(height * width * 3).fill(200);
    const large = await pipeline.runGraph(
      'small',
      'encoder',
      [{ type: 'uint8', dims: [1, height, width, 3], data }],
      NEVER,
    );
    const [latent] = large.outputs;
    expect(latent?.dims).toEqual([1, TEST_CHANNELS, height / TEST_FACTOR, width / TEST_FACTOR]);
    const input = { type: 'uint8', dims: [1, 64, 64, 3], data: new Uint8Array(64 * 64 * 3).fill(200) } as const;
    const { outputs } = await pipeline.runGraph('small', 'encoder', [input], NEVER);
    const values = (tensor: HostTensor | undefined): number[] => [
      ...new Set(new Float32Array(tensor?.data.buffer ?? new ArrayBuffer(0))),
    ];
    expect(values(latent)).toEqual(values(outputs[0]));
    expect(values(latent)).toHaveLength(TEST_CHANNELS);
  });

  it('widens half precision in the device exactly as before it', async () => {
    const pipeline = await started();
    const half = Uint16Array.from({ length: TEST_CHANNELS * 64 }, (_, i) => ((i * 257) % 0x7c00) | ((i & 1) << 15));
    const single = toFloat32(new Uint8Array(half.buffer), 'f16');
    const dims = [1, TEST_CHANNELS, 8, 8];
    const [one, other] = await Promise.all([
      pipeline.runGraph('small', 'decoder', [{ type: 'float16', dims, data: new Uint8Array(half.buffer) }], NEVER),
      pipeline.runGraph(
        'small',
        'decoder',
        [{ type: 'float32', dims, data: new Uint8Array(Float32Array.from(single).buffer) }],
        NEVER,
      ),
    ]);
    expect(one.outputs).toEqual(other.outputs);
    expect(new Set(one.outputs[0]?.data).size).toBeGreaterThan(20);
  });

  it('leaves no inference process behind when it ends without closing', async () => {
    const pipeline = await started();
    const container = testContainer({ ...SMALL, model: 'small' });
    await pipeline.render({ model: 'small', container }, NEVER);
    const script = `
      import { createDecodePipeline, ByteSemaphore } from ${JSON.stringify(new URL('../../dist/src/decode/index.js', import.meta.url).href)};
      const pipeline = createDecodePipeline({ models: [${JSON.stringify(model)}], providers: ['cpu'], threads: 1, codecWorkers: 1,
        queueDepth: 4, memory: new ByteSemaphore({ capacity: 1 << 28, maxWaiting: 4 }) });
      await pipeline.start();
      console.log(pipeline.status()[0].pid);
      const dims = [1, 4, 700, 700];
      void pipeline.runGraph('small', 'decoder', [{ type: 'float32', dims, data: new Uint8Array(4 * 4 * 700 * 700) }], new AbortController().signal);
    `;
    const gateway = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(gateway.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    gateway.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });

  it('answers InternalError with the codec error inside for a corrupt container', async () => {
    const pipeline = await started();
    const container = testContainer({ ...SMALL, model: 'small' });
    const truncated = pipeline.render({ model: 'small', container: container.slice(0, -7) }, NEVER);
    await expect(truncated).rejects.toMatchObject({ code: 'InternalError', cause: expect.any(CodecError) as unknown });
    const noise = pipeline.render({ model: 'small', container: new Uint8Array(100) }, NEVER);
    await expect(noise).rejects.toMatchObject({ code: 'InternalError', cause: expect.any(CodecError) as unknown });
    expect(pipeline.load()).toMatchObject({ requests: 0, bytesHeld: 0 });
  });

  it('answers InvalidRequest for a model that is not installed and for too many pixels', async () => {
    const pipeline = await started({ maxPixels: 1000 });
    const container = testContainer({ ...SMALL, model: 'small' });
    await expect(pipeline.render({ model: 'other', container }, NEVER)).rejects.toMatchObject({
      code: 'InvalidRequest',
    });
    await expect(pipeline.render({ model: 'small', container }, NEVER)).rejects.toMatchObject({
      code: 'InvalidRequest',
    });
  });

  it('refuses one request more than the queue holds, at once and with Retry-After', async () => {
    const pipeline = await started({ queueDepth: 3 });
    const request = { model: 'small', container: testContainer({ ...LARGE, model: 'small' }) };
    // Two held by the device and three that wait.
    const admitted = Array.from({ length: 5 }, () => pipeline.render(request, NEVER));
    const refusal = await pipeline.render(request, NEVER).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'SlowDown',
      headers: { 'Retry-After': expect.stringMatching(/^\d+$/) as unknown },
    });
    expect(await Promise.all(admitted)).toHaveLength(5);
    await expect(pipeline.render(request, NEVER)).resolves.toBeDefined();
  });

  it('lets a cancelled request leave its queue at once and gives its place to another', async () => {
    const pipeline = await started({ queueDepth: 1 });
    const request = { model: 'small', container: testContainer({ ...LARGE, model: 'small' }) };
    const running = [pipeline.render(request, NEVER), pipeline.render(request, NEVER)];
    const cancelled = new AbortController();
    const waiting = pipeline.render(request, cancelled.signal);
    await expect(pipeline.render(request, NEVER)).rejects.toMatchObject({ code: 'SlowDown' });
    cancelled.abort(new Error('the client left'));
    await expect(waiting).rejects.toThrow('the client left');
    const next = pipeline.render(request, NEVER);
    expect(await Promise.all([...running, next])).toHaveLength(3);
    await expect.poll(() => pipeline.load().bytesHeld).toBe(0);
  });

  it('survives the death of the inference process: the request is retried and the process replaced', async () => {
    const events: string[] = [];
    let retries = 0;
    const pipeline = await started({
      observer: { onEvent: (event) => events.push(event), onRetry: () => (retries += 1) },
    });
    const request = { model: 'small', container: testContainer({ ...LARGE, model: 'small' }) };
    const before = await pipeline.render(request, NEVER);
    const pid = pipeline.status()[0]?.pid ?? 0;
    const renders = [pipeline.render(request, NEVER), pipeline.render(request, NEVER)];
    await expect.poll(() => pipeline.status()[0]?.running).toBeGreaterThan(0);
    process.kill(pid, 'SIGSEGV');
    for (const { png } of await Promise.all(renders)) expect(Buffer.compare(png, before.png)).toBe(0);
    expect(retries).toBeGreaterThan(0);
    expect(events).toEqual(['exit', 'restarted']);
    expect(pipeline.status()[0]).toMatchObject({ state: 'ready', restarts: 1 });
    expect(pipeline.status()[0]?.pid).not.toBe(pid);
  });

  it('does not keep the event loop from other work while a decode is held open', async () => {
    const pipeline = await started();
    const request = { model: 'small', container: testContainer({ ...LARGE, model: 'small' }) };
    let decoding = true;
    const render = pipeline.render(request, NEVER).finally(() => (decoding = false));
    let turns = 0;
    let longest = 0;
    for (let last = performance.now(); decoding; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
    const { timings } = await render;
    expect(turns).toBeGreaterThan(100);
    expect(longest).toBeLessThan(Math.max(40, timings.decode));
  });

  it('does not serve a model whose output is no picture, and says why', async () => {
    const broken = await writeTestModel(directory, 'broken', { gain: Number.NaN });
    const pipeline = await started({ models: [model, broken] });
    const container = testContainer({ ...SMALL, model: 'broken' });
    await expect(pipeline.render({ model: 'broken', container }, NEVER)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });
    expect(pipeline.placements()[1]).toMatchObject({
      devices: [],
      refused: [{ provider: 'cpu', reason: expect.stringContaining('one value everywhere') as unknown }],
    });
  });

  it('tries every provider in the order of merit and says why each better one does not run', async () => {
    const pipeline = await started({ providers: 'auto' });
    const [placement] = pipeline.placements();
    expect(placement?.provider).toBeDefined();
    expect(placement?.refused.every(({ reason }) => reason.length > 0 && !reason.includes('\n'))).toBe(true);
    expect(pipeline.decoderClass('small')).toMatch(/^[0-9a-f]{32}$/);
  });
});
