/** Turns weights into a model folder in diffusers' ONNX layout, and makes stand-ins of the same shape. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type KlConfig, klConfigSchema, klDecoder, klEncoder } from './graphs/kl.js';
import type { GraphPrecision } from './graphs/layers.js';
import { tinyDecoder, tinyEncoder, tinyLayout } from './graphs/tiny.js';
import { DECODER_FILE, ENCODER_FILE } from './load-models.js';
import { ModelError } from './model-error.js';
import type { OnnxModel } from './onnx/model.js';
import { writeOnnxModel } from './onnx/write-model.js';
import { MODEL_PRESETS } from './presets.js';
import { RandomWeights } from './weights/random-weights.js';
import type { SafetensorsFile } from './weights/safetensors-file.js';

/** Added to a variance before the root, diffusers' `batch_norm_eps` of FLUX.2. */
const BATCH_NORM_EPSILON = 1e-4;

/** Graphs in diffusers' layout and the configuration that goes with them. */
export interface ModelParts {
  readonly decoder: OnnxModel;
  readonly encoder?: OnnxModel;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Writes the folder's files; the caller renames it into place. */
export async function writeModelFolder(directory: string, parts: ModelParts): Promise<void> {
  const graphs = [
    [DECODER_FILE, parts.decoder],
    [ENCODER_FILE, parts.encoder],
  ] as const;
  for (const [file, model] of graphs) {
    if (model === undefined) continue;
    const path = join(directory, file);
    await mkdir(dirname(path), { recursive: true });
    await writeOnnxModel(path, model);
  }
  await writeFile(join(directory, 'config.json'), `${JSON.stringify(parts.config, undefined, 2)}\n`);
}

/**
 * AutoencoderTiny from one file that holds both halves, or from one file each.
 * @throws ModelError `shape-mismatch` or `unsupported`.
 */
export function tinyParts(
  files: readonly SafetensorsFile[],
  precision: GraphPrecision,
  config: Readonly<Record<string, unknown>>,
): ModelParts {
  let decoder: ReturnType<typeof tinyDecoder> | undefined;
  let encoder: ReturnType<typeof tinyEncoder> | undefined;
  for (const file of files) {
    const layout = tinyLayout(file);
    if (layout.decoder !== undefined) decoder = tinyDecoder(file, layout.decoder, precision);
    if (layout.encoder !== undefined) encoder = tinyEncoder(file, layout.encoder, precision);
  }
  const subject = files[0]?.subject ?? 'the model';
  if (decoder === undefined) throw new ModelError('unsupported', subject, 'holds no decoder of a known architecture');
  if (encoder !== undefined && encoder.latentChannels !== decoder.latentChannels) {
    const found = `the encoder has ${encoder.latentChannels} channels, the decoder ${decoder.latentChannels}`;
    throw new ModelError('shape-mismatch', subject, `${found}: they belong to different models`);
  }
  const { latentChannels } = decoder;
  const stated = config['latent_channels'];
  if (stated !== undefined && stated !== latentChannels) {
    throw new ModelError(
      'shape-mismatch',
      subject,
      `has ${latentChannels} latent channels, not ${JSON.stringify(stated)}`,
    );
  }
  return {
    decoder: decoder.model,
    ...(encoder === undefined ? {} : { encoder: encoder.model }),
    // TAESD gives and takes scaled latents by construction, so its constants are no guess.
    config: {
      scaling_factor: 1,
      shift_factor: 0,
      ...config,
      _class_name: 'AutoencoderTiny',
      latent_channels: latentChannels,
    },
  };
}

/** AutoencoderKL from its configuration and weights. @throws ModelError */
export async function klParts(
  file: SafetensorsFile,
  precision: GraphPrecision,
  config: Readonly<Record<string, unknown>>,
): Promise<ModelParts> {
  const architecture = parseKlConfig(file.subject, config);
  return {
    decoder: klDecoder(architecture, file, precision),
    ...(file.has('encoder.conv_in.weight') ? { encoder: klEncoder(architecture, file, precision) } : {}),
    config: { ...config, ...(await batchNormStatistics(file, architecture)) },
  };
}

/** FLUX.2 keeps the statistics of its latents as a batch norm over 2×2 patches of them. */
async function batchNormStatistics(file: SafetensorsFile, config: KlConfig): Promise<Record<string, unknown>> {
  if (!file.has('bn.running_mean')) return {};
  const channels = config.latent_channels * 4;
  const mean = await file.values('bn.running_mean', [channels]);
  const variance = await file.values('bn.running_var', [channels]);
  return {
    latents_mean: [...mean],
    latents_std: Array.from(variance, (value) => Math.sqrt(value + BATCH_NORM_EPSILON)),
    latent_patch_size: 2,
  };
}

function parseKlConfig(subject: string, config: unknown): KlConfig {
  const parsed = klConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new ModelError('unsupported', subject, `no AutoencoderKL that we can write: ${faults.join('; ')}`);
}

export type StandInFamily = 'sd15' | 'sd35';

/** Parameters of the published `decoder` modules (SD 1.5's `post_quant_conv` has 20 more): stand-ins have exactly these. */
export const DECODER_PARAMETERS: Readonly<Record<StandInFamily, number>> = { sd15: 49_490_179, sd35: 49_545_475 };

/**
 * Seeded random weights in the architecture of SD 1.5 or of SD 3.5/FLUX.1: for measuring speed and memory.
 * @param seed any integer; the same seed gives the same files.
 */
export function standInParts(
  family: StandInFamily,
  precision: GraphPrecision,
  seed: number,
): ModelParts & { readonly decoderParameters: number; readonly encoderParameters: number } {
  const { config } = MODEL_PRESETS[family];
  const architecture = parseKlConfig(family, config);
  const decoderWeights = new RandomWeights(seed, precision);
  const encoderWeights = new RandomWeights(seed, precision);
  const decoder = klDecoder(architecture, decoderWeights, precision);
  const encoder = klEncoder(architecture, encoderWeights, precision);
  return {
    decoder,
    encoder,
    config: { _class_name: 'AutoencoderKL', ...config },
    decoderParameters: decoderWeights.parameters('decoder.'),
    encoderParameters: encoderWeights.parameters('encoder.'),
  };
}
