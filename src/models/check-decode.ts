/** Proves that prepared graphs run: a seeded latent is decoded, and the picture encoded again where that is possible. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describeCause, ModelError } from './model-error.js';
import type { PreparedGraph } from './installed-model.js';
import { floatToHalf, halfToFloat } from './weights/half.js';
import { gaussianNoise } from './weights/random.js';

/** Side of the latent that is decoded where the graph takes any: large enough for every border to be seen. */
const CHECK_LATENT_SIDE = 8;
/** The runtime's log level for errors only: what matters is thrown. */
const LOG_ERRORS = 3;

export interface LatentShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Standard normal values, the same for the same seed: what scaled latents of a diffusion model look like. */
export function seededLatent(shape: LatentShape, seed: number): Float32Array {
  return gaussianNoise(shape.channels * shape.height * shape.width, seed);
}

/** A session for checks: few threads, no memory that outlives it. @throws ModelError `runtime`. */
export async function openCheckSession(
  path: string,
  providers: readonly string[] = ['cpu'],
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, {
      executionProviders: [...providers],
      enableCpuMemArena: false,
      enableMemPattern: false,
      logSeverityLevel: LOG_ERRORS,
    });
  } catch (cause) {
    throw new ModelError('runtime', path, `the runtime refuses it: ${describeCause(cause)}`, { cause });
  }
}

/** The latent as a session's input in the graph's precision, `[1, C, h, w]`. */
export function latentTensor(values: Float32Array, shape: LatentShape, precision: 'f32' | 'f16'): Tensor {
  const dims = [1, shape.channels, shape.height, shape.width];
  if (precision === 'f32') return new Tensor('float32', values, dims);
  return new Tensor('float16', floatToHalf(values), dims);
}

/** A float tensor's values, whatever its precision. */
export function floatValues(tensor: Tensor): Float32Array {
  const { data } = tensor;
  if (data instanceof Float32Array) return data;
  if (tensor.type !== 'float16' || !ArrayBuffer.isView(data)) throw new TypeError(`a ${tensor.type} tensor`);
  return halfToFloat(new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2));
}

/**
 * Decodes a seeded latent with the float decoder and looks at every sample.
 * @param graph the scaled decoder, whose output is float `[1, 3, H, W]`: uint8 output would hide a NaN.
 * @returns pixels per latent cell and axis.
 * @throws ModelError `runtime`, `not-finite` or `shape-mismatch`.
 */
export async function checkScaledDecoder(
  graph: { path: string; precision: 'f32' | 'f16'; fixedLatentSize?: { height: number; width: number } },
  channels: number,
): Promise<number> {
  const size = graph.fixedLatentSize ?? { height: CHECK_LATENT_SIDE, width: CHECK_LATENT_SIDE };
  const shape: LatentShape = { channels, ...size };
  const session = await openCheckSession(graph.path);
  try {
    const output = await runOnce(session, graph.path, latentTensor(seededLatent(shape, 0), shape, graph.precision));
    const bad = floatValues(output).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new ModelError(
        'not-finite',
        graph.path,
        `decoding a seeded latent gives NaN or infinity at sample ${bad}. Weights of SDXL's original VAE overflow in ` +
          'half precision: use the fp16-fix weights, or add the model with --precision f32',
      );
    }
    const [batch, colours, height, width] = output.dims;
    const factor = (height ?? 0) / shape.height;
    if (batch !== 1 || colours !== 3 || width !== factor * shape.width || !Number.isInteger(factor) || factor < 1) {
      const dims = output.dims.join('×');
      throw new ModelError(
        'shape-mismatch',
        graph.path,
        `a latent of ${shape.height}×${shape.width} decodes to ${dims}`,
      );
    }
    return factor;
  } finally {
    await session.release();
  }
}

/** Encodes one grey picture. @throws ModelError `runtime`, `not-finite` or `shape-mismatch`. */
export async function checkEncoder(graph: PreparedGraph, channels: number, factor: number): Promise<void> {
  const size = graph.fixedLatentSize ?? { height: CHECK_LATENT_SIDE, width: CHECK_LATENT_SIDE };
  const dims = [1, size.height * factor, size.width * factor, 3];
  const pixels = new Uint8Array(dims.reduce((product, dim) => product * dim, 1));
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = (index * 31) & 0xff;
  const session = await openCheckSession(graph.path);
  try {
    const output = await runOnce(session, graph.path, new Tensor('uint8', pixels, dims));
    const expected = [1, channels, size.height, size.width];
    if (output.dims.length !== 4 || expected.some((dim, axis) => output.dims[axis] !== dim)) {
      const found = `a picture of ${dims.join('×')} encodes to ${output.dims.join('×')}`;
      throw new ModelError('shape-mismatch', graph.path, `${found} where the decoder takes ${expected.join('×')}`);
    }
    if (floatValues(output).some((value) => !Number.isFinite(value))) {
      throw new ModelError('not-finite', graph.path, 'encoding a test picture gives NaN or infinity');
    }
  } finally {
    await session.release();
  }
}

/** Runs a session of one input and returns its first output. @throws ModelError `runtime`. */
export async function runOnce(session: InferenceSession, path: string, input: Tensor): Promise<Tensor> {
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  if (inputName === undefined || outputName === undefined) {
    throw new ModelError('shape-mismatch', path, 'the graph has no input or no output');
  }
  try {
    const results = await session.run({ [inputName]: input });
    const output = results[outputName];
    if (output === undefined) throw new RangeError(`no output ${outputName}`);
    return output;
  } catch (cause) {
    throw new ModelError('runtime', path, `a test run fails: ${describeCause(cause)}`, { cause });
  }
}
