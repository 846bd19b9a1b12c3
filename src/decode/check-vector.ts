/** The decode that a device must pass before it serves a model: a fixed latent, looked at for sense and for agreement. */
import { createHash } from 'node:crypto';
import type { InstalledModel } from '../models/installed-model.js';
import { toFloat16 } from './half-floats.js';
import type { InferenceResult } from './device.js';
import { InferenceFailure } from './errors.js';
import type { HostTensor } from './inference/tensors.js';

/** Large enough for every layer of an f8 decoder, small enough for a software GPU. */
const CHECK_CELLS = 8;
/** Devices differ by rounding (60 dB and more); a broken driver or an fp16 overflow differs by far more. */
export const LEAST_AGREEMENT_DB = 40;

/** Numerical Recipes' 32-bit linear congruential generator: enough for a latent that is the same everywhere. */
function* uniform(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** A scaled latent of seeded noise, roughly of unit variance, `[1, C, h, w]`; `cells` defaults to what the graph takes. */
export function checkLatent(
  model: InstalledModel,
  cells?: { readonly height: number; readonly width: number },
): HostTensor {
  const { height, width } = cells ?? model.decoder.fixedLatentSize ?? { height: CHECK_CELLS, width: CHECK_CELLS };
  const values = new Float32Array(model.latentChannels * height * width);
  const random = uniform(20_111);
  for (let i = 0; i < values.length; i++) {
    const sum = [random, random, random].reduce((total, source) => total + Number(source.next().value), 0);
    values[i] = 2 * (sum - 1.5);
  }
  const dims = [1, model.latentChannels, height, width];
  if (model.decoder.precision === 'f32') return { type: 'float32', dims, data: new Uint8Array(values.buffer) };
  return { type: 'float16', dims, data: new Uint8Array(toFloat16(values).buffer as ArrayBuffer) };
}

/**
 * @returns lower-case hex SHA-256 of the pixels
 * @throws InferenceFailure when they are no picture: wrong shape or type, or the same value everywhere (NaNs, dead weights)
 */
export function checkPixels(model: InstalledModel, input: HostTensor, result: InferenceResult): string {
  const [, , height = 0, width = 0] = input.dims;
  const expected = [1, height * model.spatialFactor, width * model.spatialFactor, 3];
  const [pixels] = result.outputs;
  if (pixels?.type !== 'uint8' || pixels.dims.join() !== expected.join()) {
    throw new InferenceFailure(
      `the decoder gives ${pixels?.type ?? 'nothing'} [${pixels?.dims.join(', ') ?? ''}], not uint8 [${expected.join(', ')}]`,
    );
  }
  const [first] = pixels.data;
  if (pixels.data.every((value) => value === first))
    throw new InferenceFailure('the decoder gives one value everywhere: its weights are broken or overflow');
  return createHash('sha256').update(pixels.data).digest('hex');
}

/** Peak signal-to-noise ratio of two 8-bit pictures in dB; infinite where they are equal. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return 10 * Math.log10((255 ** 2 * a.length) / squares);
}
