/** How near the search comes on real models: pictures that their own decoders made, and pictures that others made. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPngChunks } from '../../codec/index.js';
import { addModel } from '../models/registry.js';
import { hasSharedData, SHARED_DATA } from '../models/testing/reference.js';
import type { Conversion } from './conversion.js';
import {
  DEFAULT_OPTIONS,
  NEVER,
  redecoded,
  startConverter,
  type StartedConverter,
} from './testing/started-converter.js';

const PICTURES = join(SHARED_DATA, 'pictures');
/** A real picture of each family, and the part of it that is taken: sides that are not multiples of 8 too. */
const OWN = {
  bundled: [{ file: 'qwen_image-qwen_image_basic_example.png', left: 500, top: 300, width: 150, height: 100 }],
  taesd3: [
    { file: 'sd3-sd3.5_simple_example.png', left: 400, top: 420, width: 75, height: 61 },
    { file: 'sd3-sd3_anime_example.png', left: 430, top: 400, width: 64, height: 64 },
  ],
  taef2: [{ file: 'flux2-flux2_example.png', left: 430, top: 400, width: 72, height: 59 }],
} as const;
const TEST_MS = 300_000;

let work: string;
let started: StartedConverter;

describe.skipIf(!hasSharedData)(
  `the search on real models${hasSharedData ? '' : ' (skipped: ../shared/data is absent)'}`,
  () => {
    beforeAll(async () => {
      work = await mkdtemp(join(tmpdir(), 'latentbox-recovery-'));
      for (const name of ['taesd3', 'taef2']) {
        const files = ['encoder', 'decoder'].map((half) => join(SHARED_DATA, 'vae', `${name}_${half}.safetensors`));
        await addModel(name, files, {
          modelsDirectory: join(work, 'models'),
          cacheDirectory: join(work, 'cache'),
          preset: name,
        });
      }
      started = await startConverter([join(work, 'models')]);
    }, TEST_MS);
    afterAll(async () => {
      await started.close();
      await rm(work, { recursive: true });
    });

    it.each(Object.keys(OWN) as (keyof typeof OWN)[])(
      'finds the latents of %s’s own pictures: 47 dB and more within 40 steps',
      async (name) => {
        const found: number[] = [];
        for (const crop of OWN[name]) {
          const png = await redecoded(started, name, await readFile(join(PICTURES, crop.file)), crop);
          const conversion = await convert(png, name, 40);
          expect(conversion.kind).toBe('latent');
          found.push(conversion.measured?.psnr ?? 0);
        }
        expect(found.reduce((sum, psnr) => sum + psnr, 0) / found.length).toBeGreaterThanOrEqual(47);
      },
      TEST_MS,
    );

    it(
      'comes to 54 dB within 120',
      async () => {
        const [crop] = OWN.taesd3;
        const png = await redecoded(started, 'taesd3', await readFile(join(PICTURES, crop.file)), crop);
        expect((await convert(png, 'taesd3', 120)).measured?.psnr).toBeGreaterThanOrEqual(54);
      },
      TEST_MS,
    );

    it(
      'gives up early on pictures of other decoders',
      async () => {
        const files = (await readdir(PICTURES)).filter((file) => /^(sd3-sd3.5|flux-flux_dev)/.test(file));
        for (const file of files) {
          const crop = { left: 400, top: 420, width: 96, height: 80 };
          const png = await sharp(join(PICTURES, file)).extract(crop).png().toBuffer();
          expect(readPngChunks(png).colorType).toBe(2);
          const conversion = await convert(png, 'taesd3', 120);
          expect(conversion).toMatchObject({ kind: 'verbatim', reason: 'under-floor' });
          expect(conversion.measured?.steps).toBeLessThanOrEqual(30);
        }
      },
      TEST_MS,
    );
  },
);

function convert(png: Uint8Array, model: string, refineSteps: number): Promise<Conversion> {
  return started.converter.convert(png, { ...DEFAULT_OPTIONS, models: [model], refineSteps }, NEVER);
}
