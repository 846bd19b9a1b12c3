/** `latentbox model`: installs, lists and checks VAEs. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import {
  addModel,
  checkModel,
  isPresetName,
  listModels,
  loadModel,
  loadModels,
  MODEL_PRESETS,
  type InstalledModel,
  type ModelCheck,
  type ModelSummary,
} from '../models/index.js';
import { packagePath } from '../package-root.js';

const DEFAULT_DIRECTORY = './models';

interface FolderOptions {
  readonly models?: readonly string[];
  readonly json?: true;
}

interface AddOptions extends FolderOptions {
  readonly preset?: string;
  readonly precision?: 'f32' | 'f16';
}

interface CheckOptions extends FolderOptions {
  readonly side: number;
  readonly repetitions: number;
  readonly provider: string;
}

export function modelCommand(): Command {
  return new Command('model')
    .description('Install, list and check the VAEs that decode latents.')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(checkCommand());
}

function addCommand(): Command {
  const presets = Object.keys(MODEL_PRESETS).join(', ');
  return new Command('add')
    .description("Install a VAE: a diffusers folder, an ONNX folder, or a tiny VAE's encoder and decoder files.")
    .argument('<name>', 'what latents call it: lower-case letters, digits, ".", "_", "-"')
    .argument('<path...>', 'folder, or safetensors files')
    .option('--preset <preset>', `constants of a family: ${presets}`)
    .option('--precision <precision>', 'f32 or f16', parsePrecision)
    .option('--models <dir>', `folder of installed models (default: ${DEFAULT_DIRECTORY})`, collectDirectory)
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  latentbox model add flux1 ./FLUX.1-dev/vae
  latentbox model add taesd3 taesd3_encoder.safetensors taesd3_decoder.safetensors --preset taesd3
  latentbox model add mine ./onnx-export --preset sd35`,
    )
    .action(async (name: string, paths: readonly string[], { preset, precision, models, json }: AddOptions) => {
      if (preset !== undefined && !isPresetName(preset))
        throw new InvalidArgumentError(`--preset ${preset}: expected one of ${presets}`);
      const directory = firstDirectory(models);
      const added = await addModel(name, paths, {
        modelsDirectory: directory,
        cacheDirectory: cacheOf(directory),
        ...(preset !== undefined && { preset }),
        ...(precision !== undefined && { precision }),
      });
      print(json, added, () => `${summaryLine(added)}\nServe it with: latentbox serve --models ${directory}\n`);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('The installed models, the bundled one first.')
    .option(
      '--models <dir>',
      `folder of installed models (default: ${DEFAULT_DIRECTORY}; repeatable)`,
      collectDirectory,
    )
    .option('--json', 'one JSON document on stdout')
    .action(async ({ models, json }: FolderOptions) => {
      const directories = modelDirectories(models);
      const found = await listModels(directories, cacheOf(firstDirectory(models)));
      print(json, found, () => found.map((model) => `${summaryLine(model)}\n`).join(''));
    });
}

function checkCommand(): Command {
  return new Command('check')
    .description('Decode with a model and say on what device, how fast, and with which fingerprint.')
    .argument('<model>', 'name of an installed model, or a folder')
    .option(
      '--models <dir>',
      `folder of installed models (default: ${DEFAULT_DIRECTORY}; repeatable)`,
      collectDirectory,
    )
    .option('--side <cells>', 'latent cells a side', parseCount, 64)
    .option('--repetitions <n>', 'decodes that are timed', parseCount, 5)
    .option('--provider <provider>', 'execution provider', 'cpu')
    .option('--json', 'one JSON document on stdout')
    .action(async (name: string, { models, json, ...options }: CheckOptions) => {
      const check = await checkModel(await findModel(name, models), options);
      print(json, check, () => checkLines(check));
    });
}

async function findModel(name: string, models: readonly string[] | undefined): Promise<InstalledModel> {
  const cacheDirectory = cacheOf(firstDirectory(models));
  if (name.includes('/') || existsSync(join(name, 'config.json'))) return loadModel(resolve(name), cacheDirectory);
  const installed = await loadModels({ directories: modelDirectories(models), cacheDirectory });
  const model = installed.find((candidate) => candidate.name === name);
  if (!model) throw new Error(`no model is named "${name}"; installed: ${installed.map((one) => one.name).join(', ')}`);
  return model;
}

/** The bundled model's folder, and the given or the usual ones. */
function modelDirectories(models: readonly string[] | undefined): string[] {
  const usual = existsSync(DEFAULT_DIRECTORY) ? [DEFAULT_DIRECTORY] : [];
  return [packagePath('models/bundled'), ...(models ?? usual)];
}

function firstDirectory(models: readonly string[] | undefined): string {
  return models?.[0] ?? DEFAULT_DIRECTORY;
}

/** Prepared graphs lie beside the models that they were made from. */
function cacheOf(directory: string): string {
  return join(resolve(directory), '.prepared');
}

function collectDirectory(directory: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), directory];
}

function parsePrecision(text: string): 'f32' | 'f16' {
  if (text === 'f32' || text === 'f16') return text;
  throw new InvalidArgumentError('expected f32 or f16');
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 4096)
    throw new InvalidArgumentError('expected a whole number from 1 to 4096');
  return count;
}

function print(json: true | undefined, data: unknown, lines: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(data, null, 2)}\n` : lines());
}

function summaryLine({ name, latentChannels, spatialFactor, fingerprint, encoder }: ModelSummary): string {
  const halves = encoder ? 'decoder and encoder' : 'decoder';
  return `${name.padEnd(16)} ${latentChannels} channels, factor ${spatialFactor}, ${halves}, fingerprint ${fingerprint.slice(0, 16)}`;
}

function checkLines(check: ModelCheck): string {
  const { device, latent, openMs, firstDecodeMs, decodeMs, memoryBytes } = check;
  return [
    summaryLine(check),
    `device           ${device}`,
    `latent           ${latent.width} x ${latent.height} cells`,
    `session          ${openMs.toFixed(0)} ms to open`,
    `decode           ${decodeMs.toFixed(1)} ms, the first ${firstDecodeMs.toFixed(1)} ms`,
    `memory           ${(memoryBytes / 2 ** 20).toFixed(0)} MiB`,
    `fingerprint      ${check.fingerprint}`,
    '',
  ].join('\n');
}
