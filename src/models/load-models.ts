/** Finds the models of the configured folders, prepares their graphs once, and refuses what would not decode. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fingerprint } from './fingerprint.js';
import type { InstalledModel, PreparedGraph } from './installed-model.js';
import { modelConstants, readVaeConfig } from './model-config.js';
import { describeCause, ModelError } from './model-error.js';
import { GRAPH_SET, PREPARATION_VERSION } from './prepare/prepare-graphs.js';
import { type ManifestGraph, prepareModel, readManifest } from './prepare/prepare-model.js';

export const DECODER_FILE = 'vae_decoder/model.onnx';
export const ENCODER_FILE = 'vae_encoder/model.onnx';
/** What may name a model: it appears in metadata, headers and metrics. */
export const MODEL_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export interface LoadModelsOptions {
  /** Each a model's folder, or a folder of such folders. */
  readonly directories: readonly string[];
  /** Prepared graphs lie here, one folder a fingerprint; may be removed at any time while nothing runs. */
  readonly cacheDirectory: string;
}

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
      if (models.some((other) => other.directory === folder)) continue;
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
  const home = join(resolve(cacheDirectory), `${digest}-${GRAPH_SET}`);
  const manifest =
    (await readManifest(home)) ?? (await prepareModel({ home, cacheDirectory, decoderPath, encoderPath, constants }));
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
    ...(manifest.decoderFit === undefined ? {} : { decoderFit: graph(manifest.decoderFit) }),
    ...(manifest.decoderVjpReason === undefined ? {} : { decoderVjpReason: manifest.decoderVjpReason }),
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
