/** Finds the models of the configured folders, prepares their graphs once, and refuses what would not decode. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { checkEncoder, checkScaledDecoder } from './check-decode.js';
import { fingerprint } from './fingerprint.js';
import type { InstalledModel, PreparedGraph } from './installed-model.js';
import { type ModelConstants, modelConstants, readVaeConfig } from './model-config.js';
import { describeCause, ModelError } from './model-error.js';
import { differentiate } from './gradient/differentiate.js';
import type { OnnxModel } from './onnx/model.js';
import { readOnnxModel } from './onnx/read-model.js';
import { ExternalWeights, writeOnnxModel } from './onnx/write-model.js';
import {
  PREPARATION_VERSION,
  type PreparedModel,
  scaledDecoder,
  servedDecoder,
  servedEncoder,
} from './prepare/prepare-graphs.js';

export const DECODER_FILE = 'vae_decoder/model.onnx';
export const ENCODER_FILE = 'vae_encoder/model.onnx';
/** What may name a model: it appears in metadata, headers and metrics. */
export const MODEL_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const MANIFEST = 'manifest.json';

export interface LoadModelsOptions {
  /** Each a model's folder, or a folder of such folders. */
  readonly directories: readonly string[];
  /** Prepared graphs lie here, one folder a fingerprint; may be removed at any time while nothing runs. */
  readonly cacheDirectory: string;
}

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
});

type Manifest = z.infer<typeof manifestSchema>;
type ManifestGraph = z.infer<typeof graphSchema>;

/**
 * All models of the given folders, each validated, prepared and proven to decode.
 *
 * A model that was prepared before is known by its fingerprint (a hash of its files), so a start costs one read of the
 * files; the first time, the graphs are rewritten and a seeded latent is decoded in this process.
 * @throws ModelError naming the file at fault and the mend.
 */
export async function loadModels(options: LoadModelsOptions): Promise<InstalledModel[]> {
  const models: InstalledModel[] = [];
  for (const directory of options.directories) {
    for (const folder of await modelFolders(resolve(directory))) {
      const model = await loadModel(folder, options.cacheDirectory);
      const twin = models.find((other) => other.name === model.name);
      if (twin !== undefined) {
        throw new ModelError(
          'bad-name',
          folder,
          `model "${model.name}" is also in ${twin.directory}; rename one folder`,
        );
      }
      models.push(model);
    }
  }
  return models;
}

/** The model in `directory`. @throws ModelError */
export async function loadModel(directory: string, cacheDirectory: string): Promise<InstalledModel> {
  const folder = resolve(directory);
  const name = basename(folder);
  if (!MODEL_NAME.test(name)) {
    throw new ModelError(
      'bad-name',
      folder,
      'a model is named by its folder: lower-case letters, digits, ".", "_", "-"',
    );
  }
  const { path, config, json } = await readVaeConfig(folder);
  const constants = modelConstants(path, config);
  const encoderPath = (await exists(join(folder, ENCODER_FILE))) ? join(folder, ENCODER_FILE) : undefined;
  const decoderPath = join(folder, DECODER_FILE);
  const parts = [
    { label: 'preparation', text: String(PREPARATION_VERSION) },
    { label: 'config', text: json },
    ...(await fileParts(folder, 'vae_decoder')),
    ...(encoderPath === undefined ? [] : await fileParts(folder, 'vae_encoder')),
  ];
  const digest = await fingerprint(parts);
  const home = join(resolve(cacheDirectory), digest);
  const manifest =
    (await readManifest(home)) ?? (await prepare({ home, cacheDirectory, decoderPath, encoderPath, constants }));
  const graph = (entry: ManifestGraph): PreparedGraph => {
    const { file, fixedLatentSize, ...rest } = entry;
    return { ...rest, path: join(home, file), ...(fixedLatentSize === undefined ? {} : { fixedLatentSize }) };
  };
  return {
    name,
    directory: folder,
    latentChannels: constants.space.channels,
    spatialFactor: manifest.spatialFactor,
    statistics: constants.space.statistics,
    fingerprint: digest,
    decoder: graph(manifest.decoder),
    ...(manifest.encoder === undefined ? {} : { encoder: graph(manifest.encoder) }),
    ...(manifest.decoderVjp === undefined ? {} : { decoderVjp: graph(manifest.decoderVjp) }),
  };
}

async function modelFolders(directory: string): Promise<string[]> {
  if (await exists(join(directory, DECODER_FILE))) return [directory];
  let entries;
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (cause) {
    throw new ModelError('missing-file', directory, `not a folder of models: ${describeCause(cause)}`, { cause });
  }
  const folders: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const folder = join(directory, entry.name);
    if (await exists(join(folder, DECODER_FILE))) folders.push(folder);
    else if ((await exists(join(folder, 'config.json'))) && (entry.isDirectory() || entry.isSymbolicLink())) {
      throw new ModelError('missing-file', folder, `has a config.json but no ${DECODER_FILE}`);
    }
  }
  return folders;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

async function fileParts(folder: string, part: string): Promise<{ label: string; file: string }[]> {
  let names: string[];
  try {
    names = await readdir(join(folder, part));
  } catch (cause) {
    throw new ModelError('missing-file', join(folder, part), `cannot be read: ${describeCause(cause)}`, { cause });
  }
  return names
    .filter((name) => name !== 'config.json')
    .toSorted()
    .map((name) => ({ label: `${part}/${name}`, file: join(folder, part, name) }));
}

async function readManifest(home: string): Promise<Manifest | undefined> {
  let json: string;
  try {
    json = await readFile(join(home, MANIFEST), 'utf8');
  } catch {
    return undefined;
  }
  return manifestSchema.parse(JSON.parse(json));
}

interface Preparation {
  readonly home: string;
  readonly cacheDirectory: string;
  readonly decoderPath: string;
  readonly encoderPath: string | undefined;
  readonly constants: ModelConstants;
}

/** Writes and checks the prepared graphs in a temporary folder, then gives it its name: no half-made one is ever read. */
async function prepare(preparation: Preparation): Promise<Manifest> {
  const { home, cacheDirectory, constants, decoderPath, encoderPath } = preparation;
  await mkdir(cacheDirectory, { recursive: true });
  const work = await mkdtemp(join(resolve(cacheDirectory), 'preparing-'));
  try {
    const scaled = scaledDecoder(decoderPath, await readOnnxModel(decoderPath), constants.space, constants.sampleRange);
    const spatialFactor = await checkFloats(work, scaled, constants.space.channels, decoderPath);
    const weights = new ExternalWeights(join(work, 'decoder.weights'));
    const decoder = await writeGraph(work, 'decoder.onnx', servedDecoder(scaled), weights);
    const vjp = differentiate(scaled.model);
    const decoderVjp =
      vjp.kind === 'graph'
        ? await writeGraph(work, 'decoder-vjp.onnx', { ...scaled, model: vjp.model }, weights)
        : undefined;
    let encoder: ManifestGraph | undefined;
    if (encoderPath !== undefined) {
      const served = servedEncoder(
        encoderPath,
        await readOnnxModel(encoderPath),
        constants.space,
        constants.sampleRange,
      );
      encoder = await writeGraph(work, 'encoder.onnx', served);
      const graph = { ...encoder, path: join(work, encoder.file) };
      const { fixedLatentSize, ...rest } = graph;
      await naming(encoderPath, () =>
        checkEncoder(
          { ...rest, ...(fixedLatentSize === undefined ? {} : { fixedLatentSize }) },
          constants.space.channels,
          spatialFactor,
        ),
      );
    }
    const manifest: Manifest = {
      spatialFactor,
      decoder,
      ...(encoder === undefined ? {} : { encoder }),
      ...(decoderVjp === undefined ? {} : { decoderVjp }),
    };
    await writeFile(join(work, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await publish(work, home);
    return manifest;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Another process may have prepared the same model meanwhile; its folder is as good as ours. */
async function publish(work: string, home: string): Promise<void> {
  try {
    await rename(work, home);
  } catch (cause) {
    if (!(await exists(join(home, MANIFEST)))) throw cause;
  }
}

async function checkFloats(work: string, scaled: PreparedModel, channels: number, source: string): Promise<number> {
  const path = join(work, 'check.onnx');
  await writeOnnxModel(path, scaled.model);
  const { fixedLatentSize } = scaled;
  const graph = { path, precision: scaled.precision, ...(fixedLatentSize === undefined ? {} : { fixedLatentSize }) };
  try {
    return await naming(source, () => checkScaledDecoder(graph, channels));
  } finally {
    await rm(path, { force: true });
  }
}

/** Errors of the temporary graph are errors of the file that it was made from. */
async function naming<T>(source: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    const problem = cause.message.slice(cause.subject.length + 2);
    throw new ModelError(cause.reason, source, problem, { cause });
  }
}

async function writeGraph(
  work: string,
  file: string,
  prepared: { model: OnnxModel } & Omit<PreparedModel, 'model'>,
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
