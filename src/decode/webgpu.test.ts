/**
 * WebGPU against the CPU on a software Vulkan device: Debian's `chromium` package ships SwiftShader; a Vulkan loader is
 * `libvulkan1`. A real GPU needs none of the variables that this test sets.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstalledModel } from '../models/index.js';
import { loadModel } from '../models/index.js';
import { packagePath } from '../package-root.js';
import { ByteSemaphore } from './byte-semaphore.js';
import { psnr } from './check-vector.js';
import type { LocalProvider } from './inference/protocol.js';
import type { RenderedPixels } from './pipeline-contract.js';
import { createDecodePipeline } from './pipeline.js';
import { describePlacement } from './placement.js';
import { testContainer } from './testing/test-container.js';
import { writeTestModel } from './testing/test-model.js';

const SOFTWARE_DEVICE = '/usr/lib/chromium/vk_swiftshader_icd.json';
const LOADERS = ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', '/usr/lib/libvulkan.so.1', '/usr/lib64/libvulkan.so.1'];
const missing = !existsSync(SOFTWARE_DEVICE)
  ? SOFTWARE_DEVICE
  : LOADERS.some((path) => existsSync(path))
    ? ''
    : 'libvulkan.so.1';
const LEAST_AGREEMENT_DB = 50;
const NEVER = new AbortController().signal;

describe.skipIf(missing !== '')(
  `webgpu on a software Vulkan device${missing === '' ? '' : ` (skipped: no ${missing})`}`,
  () => {
    let directory: string;
    const before = process.env['VK_ICD_FILENAMES'];

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'latentbox-webgpu-'));
      process.env['VK_ICD_FILENAMES'] = SOFTWARE_DEVICE;
    });
    afterAll(async () => {
      if (before === undefined) delete process.env['VK_ICD_FILENAMES'];
      else process.env['VK_ICD_FILENAMES'] = before;
      await rm(directory, { recursive: true });
    });

    async function render(
      providers: 'auto' | readonly LocalProvider[],
      given?: InstalledModel,
    ): Promise<{ line: string; pixels: RenderedPixels; again: RenderedPixels }> {
      const model = given ?? (await writeTestModel(directory, 'small'));
      const memory = new ByteSemaphore({ capacity: 1 << 28, maxWaiting: 8 });
      const pipeline = createDecodePipeline({
        models: [model],
        providers,
        threads: 1,
        codecWorkers: 1,
        queueDepth: 8,
        memory,
      });
      await pipeline.start();
      try {
        const container = testContainer({
          model: model.name,
          channels: model.latentChannels,
          factor: model.spatialFactor,
          width: 96,
          height: 64,
        });
        const pixels = await pipeline.renderPixels({ model: model.name, container }, NEVER);
        const again = await pipeline.renderPixels({ model: model.name, container }, NEVER);
        return { line: pipeline.placements().map(describePlacement).join('\n'), pixels, again };
      } finally {
        await pipeline.close();
      }
    }

    it('agrees with the CPU and with itself', async () => {
      const gpu = await render(['webgpu']);
      const cpu = await render(['cpu']);
      expect(gpu.line).toMatch(/^model small runs on webgpu \(accelerator-0;/);
      expect(psnr(gpu.pixels.pixels, cpu.pixels.pixels)).toBeGreaterThanOrEqual(LEAST_AGREEMENT_DB);
      expect(Buffer.compare(gpu.pixels.pixels, gpu.again.pixels)).toBe(0);
    }, 180_000);

    it('agrees with the CPU on the bundled model', async () => {
      const bundled = await loadModel(packagePath('models/bundled'), join(directory, 'cache'));
      const gpu = await render(['webgpu'], bundled);
      const cpu = await render(['cpu'], bundled);
      expect(gpu.line).toMatch(/^model bundled runs on webgpu /);
      expect(psnr(gpu.pixels.pixels, cpu.pixels.pixels)).toBeGreaterThanOrEqual(LEAST_AGREEMENT_DB);
      expect(Buffer.compare(gpu.pixels.pixels, gpu.again.pixels)).toBe(0);
    }, 180_000);

    it('is not chosen by itself where the CPU is faster', async () => {
      const { line } = await render('auto');
      expect(line).toMatch(/^model small runs on cpu .* not on tensorrt: .*cuda: .*webgpu: slower than the CPU/);
    }, 180_000);
  },
);
