/** `config.json` of a model folder: the constants that relate its latents to its VAE. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { describeCause, ModelError } from './model-error.js';
import type { SampleRange } from './prepare/prepare-graphs.js';
import type { LatentSpace } from './prepare/latent-space.js';

/** Where the constants may lie, in this order: our folders and optimum's, then diffusers' pipelines. */
const CONFIG_FILES = ['config.json', 'vae_decoder/config.json', 'vae/config.json'] as const;
/** More latent channels than any published VAE has; bounds what a wrong file can make us allocate. */
const MAX_LATENT_CHANNELS = 1024;

const numbers = z.array(z.number());

/** The keys of diffusers' VAE configuration that matter here; others are allowed and ignored. */
export const vaeConfigSchema = z.looseObject({
  _class_name: z.string().optional(),
  latent_channels: z.int().positive().max(MAX_LATENT_CHANNELS),
  scaling_factor: z.number().positive().nullish(),
  shift_factor: z.number().nullish(),
  latents_mean: numbers.nullish(),
  latents_std: numbers.nullish(),
  /** Ours: side of the squares of latent cells that are folded into channels (FLUX.2: 2). */
  latent_patch_size: z.int().min(1).max(8).optional(),
  /** Ours: what the graphs' samples mean; absent: diffusers' [-1, 1]. */
  sample_range: z.enum(['symmetric', 'unit']).optional(),
});

export type VaeConfig = z.infer<typeof vaeConfigSchema>;

export interface ModelConstants {
  readonly space: LatentSpace;
  readonly sampleRange: SampleRange;
}

/** Parses a VAE configuration; `path` names it in errors. @throws ModelError `broken-file`. */
export function parseVaeConfig(path: string, json: string): VaeConfig {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new ModelError('broken-file', path, `not JSON: ${describeCause(cause)}`, { cause });
  }
  const parsed = vaeConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`);
  throw new ModelError('broken-file', path, faults.join('; '));
}

/** Reads the configuration of the model in `directory`. @throws ModelError `missing-file` or `broken-file`. */
export async function readVaeConfig(directory: string): Promise<{ path: string; config: VaeConfig; json: string }> {
  for (const name of CONFIG_FILES) {
    const path = join(directory, name);
    let json: string;
    try {
      json = await readFile(path, 'utf8');
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) continue;
      throw new ModelError('missing-file', path, `cannot be read: ${describeCause(cause)}`, { cause });
    }
    return { path, config: parseVaeConfig(path, json), json };
  }
  throw new ModelError('missing-file', directory, `has no ${CONFIG_FILES.join(', ')}`);
}

/**
 * The constants that a configuration states: per channel where `latents_mean` and `latents_std` are given, else
 * `scaling_factor` and `shift_factor` (`z = scaled / scaling_factor + shift_factor`).
 * @throws ModelError `missing-constant` where it states none: guessing would give wrong colours, silently.
 */
export function modelConstants(path: string, config: VaeConfig): ModelConstants {
  const patchSize = config.latent_patch_size ?? 1;
  const channels = config.latent_channels * patchSize ** 2;
  const sampleRange = config.sample_range ?? 'symmetric';
  const { latents_mean: mean, latents_std: std, scaling_factor: scaling } = config;
  if (mean != null && std != null) {
    if (mean.length !== channels || std.length !== channels) {
      const found = `latents_mean has ${mean.length} values, latents_std ${std.length}`;
      throw new ModelError('shape-mismatch', path, `${found}; latent_channels asks for ${channels} each`);
    }
    const zero = std.findIndex((value) => value <= 0);
    if (zero >= 0) throw new ModelError('broken-file', path, `latents_std[${zero}] is not positive`);
    return { space: { channels, patchSize, statistics: { mean, std } }, sampleRange };
  }
  if (scaling == null) {
    throw new ModelError(
      'missing-constant',
      path,
      'states no scaling_factor (and no latents_mean with latents_std). Take it from vae/config.json of the diffusion ' +
        'model that this VAE belongs to, or add the model again with --preset (sd15, sdxl, sd35, flux1, …)',
    );
  }
  const shift = config.shift_factor ?? 0;
  const repeat = (value: number): number[] => new Array<number>(channels).fill(value);
  return { space: { channels, patchSize, statistics: { mean: repeat(shift), std: repeat(1 / scaling) } }, sampleRange };
}
