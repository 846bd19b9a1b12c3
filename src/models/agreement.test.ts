import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Tensor } from 'onnxruntime-node';
import type { InstalledModel } from './installed-model.js';
import { addModel } from './registry.js';
import { loadModel } from './load-models.js';
import {
  agreement,
  floats,
  hasSharedData,
  makeReference,
  missingReference,
  referenceArray,
  relativeDistance,
  relativeError,
  runGraph,
  SHARED_DATA,
} from './testing/reference.js';

const reason = await missingReference();
const REFERENCE_MS = 180_000;
/** As in reference.py. */
const PATCHES = 6;

let work = '';
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'lbx-agreement-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

describe.skipIf(reason !== undefined)(
  `graphs against PyTorch${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    beforeAll(() => makeReference(join(work, 'seeded')), REFERENCE_MS);

    it.each(['kl-quant', 'kl-plain', 'kl-patched', 'tiny'])('the graphs of seeded %s weights agree', async (name) => {
      const folder = join(work, 'seeded', name);
      const options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache') };
      const added = await addModel(name, [folder], options);
      const found = await agreement(await loadModel(added.directory, options.cacheDirectory), folder);
      expect(found.decode).toBeLessThan(1e-4);
      expect(found.encode).toBeLessThan(1e-4);
      expect(found.gradient).toBeLessThan(1e-3);
      expect(found.levels).toBeLessThanOrEqual(1);
    });

    it("prepares and differentiates PyTorch's own ONNX export", async () => {
      const folder = join(work, 'seeded/kl-plain');
      const options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache') };
      const added = await addModel('exported', [join(folder, 'onnx')], options);
      const found = await agreement(await loadModel(added.directory, options.cacheDirectory), folder);
      expect(found.decode).toBeLessThan(1e-4);
      expect(found.encode).toBeLessThan(1e-4);
      expect(found.gradient).toBeLessThan(1e-3);
      expect(found.levels).toBeLessThanOrEqual(1);
    });

    it.each(['kl-quant', 'tiny'])('half-precision graphs of %s weights stay near', async (name) => {
      const folder = join(work, 'seeded', name);
      const options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache') };
      const added = await addModel(`${name}-f16`, [folder], { ...options, precision: 'f16' });
      expect(added.precision).toBe('f16');
      const found = await agreement(await loadModel(added.directory, options.cacheDirectory), folder);
      // Eleven bits of significand over some twenty layers.
      expect(found.decode).toBeLessThan(2e-2);
      expect(found.encode).toBeLessThan(2e-2);
      expect(found.gradient).toBeLessThan(5e-2);
      expect(found.levels).toBeLessThanOrEqual(3);
    });
  },
);

const noData = reason ?? (hasSharedData ? undefined : '../shared/data is absent');
describe.skipIf(noData !== undefined)(
  `tiny VAEs on real pictures${noData === undefined ? '' : ` (skipped: ${noData})`}`,
  () => {
    beforeAll(
      () => makeReference(join(work, 'tiny'), '--tiny', join(SHARED_DATA, 'vae'), join(SHARED_DATA, 'pictures')),
      REFERENCE_MS,
    );

    it.each(['taesd', 'taesdxl', 'taesd3', 'taef1', 'taef2'])(
      '%s equals PyTorch within one level',
      async (name) => {
        const options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache'), preset: name };
        const files = ['encoder', 'decoder'].map((half) => join(SHARED_DATA, 'vae', `${name}_${half}.safetensors`));
        const added = await addModel(name, files, options);
        const model = await loadModel(added.directory, options.cacheDirectory);
        const found = await agreement(model, join(work, 'tiny', name));
        expect(found.decode).toBeLessThan(1e-4);
        expect(found.encode).toBeLessThan(1e-4);
        expect(found.levels).toBeLessThanOrEqual(1);
        const gradients = await gradientAgreement(model, join(work, 'tiny', name));
        expect(gradients.whole.distance).toBeLessThan(5e-3);
        expect(gradients.whole.worst).toBeLessThan(2e-2);
        const [best, second] = gradients.patches.toSorted((a, b) => a - b);
        expect(best).toBeLessThan(1e-5);
        expect(second).toBeLessThan(1e-5);
      },
      REFERENCE_MS,
    );
  },
);

/**
 * Our gradient against PyTorch's in float64. A ReLU whose input is near zero may open in one arithmetic and stay shut in
 * the other, and then a few values differ by much: PyTorch's own float32 gradient of the whole picture is off its float64
 * one by as much (up to 4e-3 in length). Small latents, some of which have no such ReLU, show what the rules give there.
 */
async function gradientAgreement(
  model: InstalledModel,
  folder: string,
): Promise<{ whole: { distance: number; worst: number }; patches: number[] }> {
  const gradientOf = async (latent: string, cotangent: string): Promise<Float32Array> => {
    const inputs = await Promise.all([latent, cotangent].map((name) => referenceArray(folder, name)));
    const tensors = inputs.map((array) => new Tensor('float32', floats(array), [...array.dims]));
    const [, gradient] = await runGraph(model.decoderVjp?.path, tensors);
    if (!(gradient?.data instanceof Float32Array)) throw new Error('no gradient');
    return gradient.data;
  };
  const load = async (name: string): Promise<Float32Array> => floats(await referenceArray(folder, name));
  const whole = await gradientOf('latent', 'cotangent');
  const exact = await load('gradient64');
  const patches = await gradientOf('patches', 'patch_cotangents');
  const exactPatches = await load('patch_gradients64');
  const length = exactPatches.length / PATCHES;
  return {
    whole: { distance: relativeDistance(whole, exact), worst: relativeError(whole, exact) },
    patches: Array.from({ length: PATCHES }, (_, i) =>
      relativeDistance(
        patches.subarray(i * length, (i + 1) * length),
        exactPatches.subarray(i * length, (i + 1) * length),
      ),
    ),
  };
}
