/** Runs the PyTorch reference and compares graphs with it. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { floatValues } from '../check-decode.js';
import { floatToHalf } from '../weights/half.js';
import type { InstalledModel } from '../installed-model.js';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, 'reference.py');
const MODULES = ['torch', 'diffusers', 'safetensors', 'onnx', 'PIL'];

/** Public data beside the checkout; absent on other machines. */
export const SHARED_DATA = join(import.meta.dirname, '../../../../shared/data');
export const hasSharedData = existsSync(join(SHARED_DATA, 'vae'));

export const python = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';

/** Why the reference cannot run here; undefined where it can. */
export async function missingReference(): Promise<string | undefined> {
  try {
    const probe = `import importlib.util as u; print(*[m for m in ${JSON.stringify(MODULES)} if not u.find_spec(m)])`;
    const { stdout } = await run(python, ['-c', probe]);
    return stdout.trim() === '' ? undefined : `${python} lacks ${stdout.trim()} (set LATENTBOX_TEST_PYTHON)`;
  } catch {
    return `${python} does not run (set LATENTBOX_TEST_PYTHON)`;
  }
}

export async function makeReference(target: string, ...options: readonly string[]): Promise<void> {
  await run(python, [SCRIPT, target, ...options], { maxBuffer: 1 << 26 });
}

export interface ReferenceArray {
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** One array of a case. */
export async function referenceArray(folder: string, name: string): Promise<ReferenceArray> {
  const shapes = JSON.parse(await readFile(join(folder, 'shapes.json'), 'utf8')) as Record<string, number[]>;
  const dims = shapes[name];
  if (dims === undefined) throw new Error(`no array ${name} in ${folder}`);
  return { dims, bytes: Uint8Array.from(await readFile(join(folder, `${name}.bin`))) };
}

export function floats(array: ReferenceArray): Float32Array {
  return new Float32Array(array.bytes.buffer, 0, array.bytes.byteLength / 4);
}

/** Largest difference, relative to the largest magnitude of what is right. */
export function relativeError(found: Float32Array, right: Float32Array): number {
  if (found.length !== right.length) return Infinity;
  let difference = 0;
  let magnitude = 0;
  for (const [index, value] of right.entries()) {
    const distance = Math.abs((found[index] ?? NaN) - value);
    difference = Math.max(difference, Number.isNaN(distance) ? Infinity : distance);
    magnitude = Math.max(magnitude, Math.abs(value));
  }
  return difference / magnitude;
}

/** Euclidean length of the difference, relative to the length of what is right. */
export function relativeDistance(found: Float32Array, right: Float32Array): number {
  if (found.length !== right.length) return Infinity;
  let [difference, length] = [0, 0];
  for (const [index, value] of right.entries()) {
    difference += ((found[index] ?? NaN) - value) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference / length);
}

/** How far a model's prepared graphs are from PyTorch's answers. */
export interface Agreement {
  /** Largest difference of the float decode, of the encoder and of the gradient, each relative to the largest value. */
  readonly decode: number;
  readonly encode: number;
  readonly gradient: number;
  /** Largest difference of the served pixels, in 8-bit levels. */
  readonly levels: number;
}

export async function agreement(model: InstalledModel, folder: string): Promise<Agreement> {
  const load = (name: string): Promise<ReferenceArray> => referenceArray(folder, name);
  const latent = await load('latent');
  const cotangent = await load('cotangent');
  const scaled =
    model.decoder.precision === 'f32'
      ? new Tensor('float32', floats(latent), [...latent.dims])
      : new Tensor('float16', floatToHalf(floats(latent)), [...latent.dims]);
  const vjp = await runGraph(model.decoderVjp?.path, [
    scaled,
    new Tensor('float32', floats(cotangent), [...cotangent.dims]),
  ]);
  const served = await runGraph(model.decoder.path, [scaled]);
  const pixels = await load('pixels');
  const encoded = await runGraph(model.encoder?.path, [new Tensor('uint8', pixels.bytes, [1, ...pixels.dims])]);
  const decoded = (await load('decoded')).bytes;
  const found = served[0]?.data;
  if (!(found instanceof Uint8Array) || found.length !== decoded.length) throw new Error('the decoder gave no pixels');
  return {
    decode: relativeError(floatsOf(vjp[0]), floats(await load('sample'))),
    gradient: relativeError(floatsOf(vjp[1]), floats(await load('gradient'))),
    encode: relativeError(floatsOf(encoded[0]), floats(await load('encoded'))),
    levels: decoded.reduce((most, value, index) => Math.max(most, Math.abs(value - (found[index] ?? NaN))), 0),
  };
}

/** Runs a graph once, inputs and outputs in the session's order. */
export async function runGraph(path: string | undefined, inputs: readonly Tensor[]): Promise<Tensor[]> {
  if (path === undefined) throw new Error('the model lacks this graph');
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 });
  try {
    const feeds = Object.fromEntries(
      session.inputNames.map((name, index) => {
        const tensor = inputs[index];
        if (tensor === undefined) throw new Error(`no tensor for input ${name}`);
        return [name, tensor];
      }),
    );
    const results = await session.run(feeds);
    return session.outputNames.flatMap((name) => results[name] ?? []);
  } finally {
    await session.release();
  }
}

function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor === undefined) throw new Error('an output is missing');
  return floatValues(tensor);
}
