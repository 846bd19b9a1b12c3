/** `latentbox model add|list|check`, as functions that give plain data. */
import { cp, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { latentTensor, openCheckSession, runOnce, seededLatent } from './check-decode.js';
import type { InstalledModel } from './installed-model.js';
import { DECODER_FILE, loadModel, loadModels, MODEL_NAME } from './load-models.js';
import { parseVaeConfig, readVaeConfig } from './model-config.js';
import { ModelError } from './model-error.js';
import { isPresetName, MODEL_PRESETS } from './presets.js';
import { SafetensorsFile } from './weights/safetensors-file.js';
import { klParts, tinyParts, writeModelFolder } from './write-folder.js';

const WEIGHT_FILES = ['diffusion_pytorch_model.safetensors', 'diffusion_pytorch_model.fp16.safetensors'] as const;

export interface AddModelOptions {
  /** A name of MODEL_PRESETS; its constants win over the folder's own. */
  readonly preset?: string;
  readonly modelsDirectory: string;
  readonly cacheDirectory: string;
  /** Precision of the graphs that are written from safetensors; f32 unless stated. */
  readonly precision?: 'f32' | 'f16';
}

export interface ModelSummary {
  readonly name: string;
  readonly directory: string;
  readonly latentChannels: number;
  readonly spatialFactor: number;
  readonly precision: 'f32' | 'f16';
  readonly fingerprint: string;
  readonly encoder: boolean;
  readonly gradient: boolean;
}

export interface ModelCheck extends ModelSummary {
  readonly device: string;
  /** Latent cells of the picture that was decoded. */
  readonly latent: { readonly height: number; readonly width: number };
  readonly openMs: number;
  readonly firstDecodeMs: number;
  /** The fastest of the later decodes. */
  readonly decodeMs: number;
  /** Growth of this process's resident memory from before the session to after the decodes. */
  readonly memoryBytes: number;
}

/**
 * Installs a model under `modelsDirectory/name`: graphs written from weights, or an ONNX folder copied, then prepared
 * and proven to decode before the name appears.
 * @param paths a diffusers VAE folder, an ONNX folder, or the safetensors files of a tiny VAE's halves.
 * @throws ModelError; nothing is left behind.
 */
export async function addModel(
  name: string,
  paths: readonly string[],
  options: AddModelOptions,
): Promise<ModelSummary> {
  if (!MODEL_NAME.test(name)) {
    throw new ModelError('bad-name', name, 'a model name has lower-case letters, digits, ".", "_" and "-"');
  }
  const target = join(resolve(options.modelsDirectory), name);
  if (await exists(target))
    throw new ModelError('bad-name', target, 'exists already; remove it or choose another name');
  const preset = presetConfig(options.preset);
  await mkdir(options.modelsDirectory, { recursive: true });
  const work = await mkdtemp(join(resolve(options.modelsDirectory), '.adding-'));
  try {
    const folder = join(work, name);
    await mkdir(folder);
    await install(
      folder,
      paths.map((path) => resolve(path)),
      preset,
      options.precision ?? 'f32',
    );
    await loadModel(folder, options.cacheDirectory);
    await rename(folder, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return summary(await loadModel(target, options.cacheDirectory));
}

/** The models of some folders. @throws ModelError */
export async function listModels(directories: readonly string[], cacheDirectory: string): Promise<ModelSummary[]> {
  return (await loadModels({ directories, cacheDirectory })).map(summary);
}

/**
 * Decodes a seeded latent several times and says what that cost.
 * @param side latent cells a side where the graph takes any size; 64 is a picture of 512² for most families.
 * @throws ModelError
 */
export async function checkModel(
  model: InstalledModel,
  options: { readonly side?: number; readonly repetitions?: number; readonly provider?: string } = {},
): Promise<ModelCheck> {
  const { side = 64, repetitions = 2, provider = 'cpu' } = options;
  const size = model.decoder.fixedLatentSize ?? { height: side, width: side };
  const shape = { channels: model.latentChannels, ...size };
  const latent = latentTensor(seededLatent(shape, 1), shape, model.decoder.precision);
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const session = await openCheckSession(model.decoder.path, [provider]);
  try {
    const opened = performance.now();
    const times: number[] = [];
    for (let run = 0; run <= repetitions; run += 1) {
      const from = performance.now();
      await runOnce(session, model.decoder.path, latent);
      times.push(performance.now() - from);
    }
    const [first = 0, ...later] = times;
    return {
      ...summary(model),
      device: provider,
      latent: size,
      openMs: opened - start,
      firstDecodeMs: first,
      decodeMs: Math.min(...later),
      memoryBytes: process.memoryUsage.rss() - before,
    };
  } finally {
    await session.release();
  }
}

export function summary(model: InstalledModel): ModelSummary {
  const { name, directory, latentChannels, spatialFactor, fingerprint, decoder } = model;
  return {
    name,
    directory,
    latentChannels,
    spatialFactor,
    precision: decoder.precision,
    fingerprint,
    encoder: model.encoder !== undefined,
    gradient: model.decoderVjp !== undefined,
  };
}

type Constants = Readonly<Record<string, unknown>>;

function presetConfig(name: string | undefined): Constants {
  if (name === undefined) return {};
  if (isPresetName(name)) return MODEL_PRESETS[name].config;
  const known = Object.keys(MODEL_PRESETS).join(', ');
  throw new ModelError('missing-constant', `--preset ${name}`, `no such preset; there are ${known}`);
}

async function install(
  folder: string,
  paths: readonly string[],
  preset: Constants,
  precision: 'f32' | 'f16',
): Promise<void> {
  const [first] = paths;
  if (first === undefined) throw new ModelError('missing-file', 'model add', 'needs a folder or safetensors files');
  if (paths.every((path) => path.endsWith('.safetensors'))) {
    await installWeights(folder, paths, preset, precision);
    return;
  }
  if (paths.length > 1) throw new ModelError('unsupported', first, 'give one folder, or safetensors files only');
  if (await exists(join(first, DECODER_FILE))) {
    await cp(join(first, 'vae_decoder'), join(folder, 'vae_decoder'), { recursive: true });
    if (await exists(join(first, 'vae_encoder'))) {
      await cp(join(first, 'vae_encoder'), join(folder, 'vae_encoder'), { recursive: true });
    }
    const config = { ...(await folderConfig(first)), ...preset };
    await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
    return;
  }
  for (const home of [first, join(first, 'vae')]) {
    for (const file of WEIGHT_FILES) {
      if (!(await exists(join(home, file)))) continue;
      const config = { ...(await folderConfig(home)), ...preset };
      await installWeights(folder, [join(home, file)], config, precision);
      return;
    }
  }
  throw new ModelError('missing-file', first, `has neither ${DECODER_FILE} nor ${WEIGHT_FILES[0]}`);
}

async function installWeights(
  folder: string,
  paths: readonly string[],
  config: Constants,
  precision: 'f32' | 'f16',
): Promise<void> {
  const files: SafetensorsFile[] = [];
  for (const path of paths) {
    const file = await SafetensorsFile.open(path);
    files.push(precision === 'f16' ? await file.inHalfPrecision() : file);
  }
  const kl = files.find((file) => file.has('decoder.conv_in.weight'));
  const parts = kl === undefined ? tinyParts(files, precision, config) : await klParts(kl, precision, config);
  await writeModelFolder(folder, parts);
}

/** A folder's own configuration; empty where it has none, since a preset may state everything. */
async function folderConfig(folder: string): Promise<Constants> {
  try {
    const { path, json } = await readVaeConfig(folder);
    return parseVaeConfig(path, json);
  } catch (cause) {
    if (cause instanceof ModelError && cause.reason === 'missing-file') return {};
    throw cause;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
