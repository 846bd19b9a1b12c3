/** Real tiny VAEs in one pipeline: a real picture through the gateway's own sessions and back, against PyTorch. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeContainer } from '../../codec/index.js';
import type { InstalledModel } from '../models/index.js';
import { addModel, loadModel } from '../models/index.js';
import {
  floats,
  hasSharedData,
  makeReference,
  missingReference,
  referenceArray,
  relativeError,
  SHARED_DATA,
} from '../models/testing/reference.js';
import { ByteSemaphore } from './byte-semaphore.js';
import type { DecodePipeline } from './pipeline-contract.js';
import { createDecodePipeline } from './pipeline.js';

const NAMES = ['taesd', 'taesdxl', 'taesd3', 'taef1', 'taef2'];
const SETUP_MS = 300_000;
const NEVER = new AbortController().signal;
const missing = (await missingReference()) ?? (hasSharedData ? undefined : '../shared/data is absent');

describe.skipIf(missing !== undefined)(
  `tiny VAEs in one pipeline${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let work: string;
    let pipeline: DecodePipeline;

    beforeAll(async () => {
      work = await mkdtemp(join(tmpdir(), 'latentbox-tiny-'));
      const [vaes, pictures] = [join(SHARED_DATA, 'vae'), join(SHARED_DATA, 'pictures')];
      await makeReference(join(work, 'reference'), '--tiny', vaes, pictures, '--pictures-only');
      const models: InstalledModel[] = [];
      for (const name of NAMES) {
        const files = ['encoder', 'decoder'].map((half) => join(vaes, `${name}_${half}.safetensors`));
        const options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache'), preset: name };
        const { directory } = await addModel(name, files, options);
        models.push(await loadModel(directory, options.cacheDirectory));
      }
      const memory = new ByteSemaphore({ capacity: 1 << 28, maxWaiting: 64 });
      pipeline = createDecodePipeline({
        models,
        providers: ['cpu'],
        threads: 2,
        codecWorkers: 1,
        queueDepth: 64,
        memory,
      });
      await pipeline.start();
    }, SETUP_MS);
    afterAll(async () => {
      await pipeline.close();
      await rm(work, { recursive: true });
    });

    it(
      'gives each object the picture of its own model, within one level of what PyTorch gives',
      async () => {
        const reference = (name: string, array: string): ReturnType<typeof referenceArray> =>
          referenceArray(join(work, 'reference', name), array);
        const worst = await Promise.all(
          NAMES.map(async (name) => {
            const picture = await reference(name, 'pixels');
            const input = { type: 'uint8', dims: [1, ...picture.dims], data: Uint8Array.from(picture.bytes) } as const;
            const { outputs } = await pipeline.runGraph(name, 'encoder', [input], NEVER);
            const [latent] = outputs;
            if (latent === undefined) throw new Error('no latent');
            const expected = floats(await reference(name, 'encoded'));
            expect(relativeError(new Float32Array(latent.data.buffer), expected)).toBeLessThan(1e-4);
            const [height = 0, width = 0] = picture.dims;
            const container = encodeContainer({
              model: name,
              tensor: { dtype: 'f32', shape: latent.dims.slice(1), data: latent.data },
              width,
              height,
              scaled: true,
              origin: { kind: 'supplied' },
              pngChunks: { beforeIdat: [], afterIdat: [] },
            });
            const { pixels } = await pipeline.renderPixels({ model: name, container }, NEVER);
            const { bytes } = await reference(name, 'decoded');
            expect(pixels.byteLength).toBe(bytes.byteLength);
            return pixels.reduce((most, level, i) => Math.max(most, Math.abs(level - (bytes[i] ?? Number.NaN))), 0);
          }),
        );
        for (const levels of worst) expect(levels).toBeLessThanOrEqual(1);
      },
      SETUP_MS,
    );
  },
);
