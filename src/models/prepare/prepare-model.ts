/** Writes a model's prepared graphs into the cache, once, and proves that they run. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { checkEncoder, checkGradient, checkSamples, checkServedDecoder, type CheckedGraph } from '../check-decode.js';
import { differentiate } from '../gradient/differentiate.js';
import { fitGraph } from '../gradient/fit.js';
import type { ModelConstants } from '../model-config.js';
import { describeCause, ModelError } from '../model-error.js';
import { readOnnxModel } from '../onnx/read-model.js';
import { ExternalWeights, writeOnnxModel } from '../onnx/write-model.js';
import { type PreparedModel, scaledDecoder, servedDecoder, servedEncoder } from './prepare-graphs.js';

const MANIFEST = 'manifest.json';

const graphSchema = z.object({
  file: z.string(),
  precision: z.enum(['f32', 'f16']),
  fixedLatentSize: z.object({ height: z.int().positive(), width: z.int().positive() }).optional(),
  inputs: z.array(z.string()),
  outputs: z.array(z.string()),
});

const manifestSchema = z.object({
  spatialFactor: z.int().positive(),
  decoder: graphSchema,
  encoder: graphSchema.optional(),
  decoderVjp: graphSchema.optional(),
  decoderFit: graphSchema.optional(),
  /** Why there is no gradient. */
  decoderVjpReason: z.string().optional(),
});

/** What a folder of prepared graphs says of itself; its presence says that they were checked. */
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestGraph = z.infer<typeof graphSchema>;

/** The manifest in `home`; undefined where the model was not prepared yet. @throws ModelError `broken-file`. */
export async function readManifest(home: string): Promise<Manifest | undefined> {
  const path = join(home, MANIFEST);
  let json: string;
  try {
    json = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new ModelError('missing-file', path, `cannot be read: ${describeCause(cause)}`, { cause });
  }
  try {
    return manifestSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new ModelError('broken-file', path, 'damaged; remove its folder, and it is made anew', { cause });
  }
}

export interface Preparation {
  /** The folder that the prepared graphs get, inside `cacheDirectory`. */
  readonly home: string;
  readonly cacheDirectory: string;
  readonly decoderPath: string;
  readonly encoderPath: string | undefined;
  readonly constants: ModelConstants;
}

/**
 * Prepares and checks in a temporary folder, then renames it: no half-made one is ever read.
 * @throws ModelError that names the exported file at fault, not the temporary one.
 */
export async function prepareModel(preparation: Preparation): Promise<Manifest> {
  const { home, cacheDirectory } = preparation;
  await mkdir(cacheDirectory, { recursive: true });
  const work = await mkdtemp(join(resolve(cacheDirectory), 'preparing-'));
  try {
    const decoder = await naming(preparation.decoderPath, () => prepareDecoder(work, preparation));
    const { encoderPath } = preparation;
    const encoder =
      encoderPath === undefined
        ? undefined
        : await naming(encoderPath, () => prepareEncoder(work, encoderPath, preparation, decoder.spatialFactor));
    const manifest: Manifest = { ...decoder, ...(encoder === undefined ? {} : { encoder }) };
    await writeFile(join(work, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await publish(work, home);
    return manifest;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Decoder and gradient over one file of weights. */
async function prepareDecoder(
  work: string,
  { decoderPath, constants }: Preparation,
): Promise<Omit<Manifest, 'encoder'>> {
  const { space, sampleRange } = constants;
  const scaled = scaledDecoder(decoderPath, await readOnnxModel(decoderPath), space, sampleRange);
  const weights = new ExternalWeights(join(work, 'decoder.weights'));
  const decoder = await writeGraph(work, 'decoder.onnx', servedDecoder(scaled), weights);
  const spatialFactor = await checkServedDecoder(checked(work, decoder), space.channels);
  const vjp = differentiate(scaled.model);
  let decoderVjpReason = vjp.kind === 'graph' ? '' : vjp.reason;
  if (vjp.kind === 'graph') {
    const decoderVjp = await writeGraph(work, 'decoder-vjp.onnx', { ...scaled, model: vjp.model }, weights);
    try {
      await checkGradient(checked(work, decoderVjp), space.channels, spatialFactor);
      const decoderFit = await writeGraph(work, 'decoder-fit.onnx', { ...scaled, model: fitGraph(vjp.model) }, weights);
      return { spatialFactor, decoder, decoderVjp, decoderFit };
    } catch (cause) {
      // The decoder ran; what the runtime refuses is the gradient alone.
      if (!(cause instanceof ModelError) || cause.reason !== 'runtime') throw cause;
      decoderVjpReason = cause.message.slice(cause.subject.length + 2);
      await rm(join(work, decoderVjp.file));
    }
  }
  // uint8 pixels hide a NaN, so the float samples are looked at by themselves.
  const floats = await writeGraph(work, 'samples.onnx', scaled, weights);
  await checkSamples(checked(work, floats), space.channels);
  await rm(join(work, floats.file));
  return { spatialFactor, decoder, decoderVjpReason };
}

async function prepareEncoder(
  work: string,
  encoderPath: string,
  { constants }: Preparation,
  spatialFactor: number,
): Promise<ManifestGraph> {
  const { space, sampleRange } = constants;
  const served = servedEncoder(encoderPath, await readOnnxModel(encoderPath), space, sampleRange);
  const encoder = await writeGraph(work, 'encoder.onnx', served);
  await checkEncoder(checked(work, encoder), space.channels, spatialFactor);
  return encoder;
}

function checked(work: string, { file, precision, fixedLatentSize }: ManifestGraph): CheckedGraph {
  return { path: join(work, file), precision, ...(fixedLatentSize === undefined ? {} : { fixedLatentSize }) };
}

/** Another process may have prepared the same model meanwhile; its folder is as good as ours. */
async function publish(work: string, home: string): Promise<void> {
  try {
    await rename(work, home);
  } catch (cause) {
    if ((await readManifest(home)) === undefined) throw cause;
  }
}

/** Errors of a temporary graph are errors of the file that it was made from. */
async function naming<T>(source: string, prepare: () => Promise<T>): Promise<T> {
  try {
    return await prepare();
  } catch (cause) {
    if (!(cause instanceof ModelError) || cause.subject === source) throw cause;
    throw new ModelError(cause.reason, source, cause.message.slice(cause.subject.length + 2), { cause });
  }
}

async function writeGraph(
  work: string,
  file: string,
  prepared: PreparedModel,
  weights?: ExternalWeights,
): Promise<ManifestGraph> {
  const { model, precision, fixedLatentSize } = prepared;
  await writeOnnxModel(join(work, file), model, weights);
  return {
    file,
    precision,
    ...(fixedLatentSize === undefined ? {} : { fixedLatentSize }),
    inputs: model.graph.inputs.map((input) => input.name),
    outputs: model.graph.outputs.map((output) => output.name),
  };
}
