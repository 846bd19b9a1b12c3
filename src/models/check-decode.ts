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

/** A graph that is about to be checked. */
export type CheckedGraph = Pick<PreparedGraph, 'path' | 'precision' | 'fixedLatentSize'>;

/**
 * Decodes a seeded latent to pixels.
 * @returns pixels per latent cell and axis.
 * @throws ModelError `runtime` or `shape-mismatch`.
 */
export async function checkServedDecoder(graph: CheckedGraph, channels: number): Promise<number> {
  const size = checkSize(graph);
  const session = await openCheckSession(graph.path);
  try {
    const output = await runOnce(session, graph.path, checkLatent(graph, channels));
    const [batch, height = 0, width, colours] = output.dims;
    const factor = height / size.height;
    if (batch !== 1 || colours !== 3 || width !== factor * size.width || !Number.isInteger(factor) || factor < 1) {
      const dims = output.dims.join('×');
      throw new ModelError('shape-mismatch', graph.path, `a latent of ${size.height}×${size.width} decodes to ${dims}`);
    }
    return factor;
  } finally {
    await session.release();
  }
}

/** Decodes a seeded latent to float samples and looks at each. @throws ModelError `runtime` or `not-finite`. */
export async function checkSamples(graph: CheckedGraph, channels: number): Promise<void> {
  const session = await openCheckSession(graph.path);
  try {
    refuseNonFinite(graph, await runOnce(session, graph.path, checkLatent(graph, channels)), DECODING);
  } finally {
    await session.release();
  }
}

/** Runs decoder and gradient; samples and gradient must be finite. @throws ModelError `runtime` or `not-finite`. */
export async function checkGradient(graph: CheckedGraph, channels: number, factor: number): Promise<void> {
  const size = checkSize(graph);
  const dims = [1, 3, size.height * factor, size.width * factor];
  const ones = new Float32Array(dims.reduce((product, dim) => product * dim, 1)).fill(1);
  const session = await openCheckSession(graph.path);
  try {
    const results = await runAll(session, graph.path, [
      checkLatent(graph, channels),
      new Tensor('float32', ones, dims),
    ]);
    const [samples, gradient] = results;
    if (samples === undefined || gradient === undefined) throw new RangeError('a gradient graph has two outputs');
    refuseNonFinite(graph, samples, DECODING);
    refuseNonFinite(graph, gradient, "the decoder's gradient");
  } finally {
    await session.release();
  }
}

const DECODING = 'decoding a seeded latent';

function checkSize(graph: CheckedGraph): { height: number; width: number } {
  return graph.fixedLatentSize ?? { height: CHECK_LATENT_SIDE, width: CHECK_LATENT_SIDE };
}

function checkLatent(graph: CheckedGraph, channels: number): Tensor {
  const shape: LatentShape = { channels, ...checkSize(graph) };
  return latentTensor(seededLatent(shape, 0), shape, graph.precision);
}

function refuseNonFinite(graph: CheckedGraph, output: Tensor, what: string): void {
  const bad = floatValues(output).findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const hint =
    graph.precision === 'f16'
      ? ". Some VAEs (SDXL's original) overflow in half precision: add it with --precision f32"
      : '';
  throw new ModelError('not-finite', graph.path, `${what} gives NaN or infinity at value ${bad}${hint}`);
}

/** Encodes one patterned picture. @throws ModelError `runtime`, `not-finite` or `shape-mismatch`. */
export async function checkEncoder(graph: CheckedGraph, channels: number, factor: number): Promise<void> {
  const size = checkSize(graph);
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
    refuseNonFinite(graph, output, 'encoding a test picture');
  } finally {
    await session.release();
  }
}

/** Runs a session of one input and returns its first output. @throws ModelError `runtime`. */
export async function runOnce(session: InferenceSession, path: string, input: Tensor): Promise<Tensor> {
  const [output] = await runAll(session, path, [input]);
  if (output === undefined) throw new ModelError('shape-mismatch', path, 'the graph has no output');
  return output;
}

/** Runs a session, inputs and outputs in its own order. @throws ModelError `runtime`. */
async function runAll(session: InferenceSession, path: string, inputs: readonly Tensor[]): Promise<Tensor[]> {
  const feeds = session.inputNames.flatMap((name, index) => {
    const tensor = inputs[index];
    return tensor === undefined ? [] : [[name, tensor] as const];
  });
  try {
    const results = await session.run(Object.fromEntries(feeds));
    return session.outputNames.flatMap((name) => results[name] ?? []);
  } catch (cause) {
    throw new ModelError('runtime', path, `a test run fails: ${describeCause(cause)}`, { cause });
  }
}
