/** The published constants of model families, by the names that people know them by. */
import type { KlConfig } from './graphs/kl.js';

/** What a preset states; keys as in diffusers' VAE configuration, merged over a folder's own. */
export interface ModelPreset {
  readonly title: string;
  /** Where the constants were published. */
  readonly source: string;
  readonly config: Readonly<Record<string, unknown>>;
}

const FOUR_STAGES: Partial<KlConfig> = {
  in_channels: 3,
  out_channels: 3,
  block_out_channels: [128, 256, 512, 512],
  layers_per_block: 2,
  norm_num_groups: 32,
  act_fn: 'silu',
  mid_block_add_attention: true,
};

const SD3_SHAPE = { ...FOUR_STAGES, latent_channels: 16, use_quant_conv: false, use_post_quant_conv: false };

/** The tiny autoencoders speak scaled latents themselves, so there is nothing to undo. */
const tiny = (family: string, channels: number): ModelPreset => ({
  title: `TAESD for ${family}`,
  source: 'https://github.com/madebyollin/taesd',
  config: { _class_name: 'AutoencoderTiny', latent_channels: channels, scaling_factor: 1, shift_factor: 0 },
});

export const MODEL_PRESETS = {
  sd15: {
    title: 'Stable Diffusion 1.x and 2.x',
    source: 'https://huggingface.co/stabilityai/sd-vae-ft-mse (config.json)',
    config: { ...FOUR_STAGES, latent_channels: 4, scaling_factor: 0.18215 },
  },
  sdxl: {
    title: 'Stable Diffusion XL',
    source: 'https://huggingface.co/stabilityai/sdxl-vae (config.json)',
    config: { ...FOUR_STAGES, latent_channels: 4, scaling_factor: 0.13025 },
  },
  sd35: {
    title: 'Stable Diffusion 3 and 3.5',
    source: 'https://huggingface.co/stabilityai/stable-diffusion-3.5-large (vae/config.json)',
    config: { ...SD3_SHAPE, scaling_factor: 1.5305, shift_factor: 0.0609 },
  },
  flux1: {
    title: 'FLUX.1',
    source: 'https://huggingface.co/black-forest-labs/FLUX.1-schnell (vae/config.json)',
    config: { ...SD3_SHAPE, scaling_factor: 0.3611, shift_factor: 0.1159 },
  },
  flux2: {
    title: 'FLUX.2: the batch-norm constants lie in the weights (bn.running_mean, bn.running_var)',
    source: 'https://huggingface.co/black-forest-labs/FLUX.2-dev (vae/config.json)',
    config: { ...FOUR_STAGES, _class_name: 'AutoencoderKLFlux2', latent_channels: 32, latent_patch_size: 2 },
  },
  'qwen-image': {
    title: 'Qwen-Image (an ONNX folder: the architecture is a video VAE)',
    source: 'https://huggingface.co/Qwen/Qwen-Image (vae/config.json)',
    config: {
      latent_channels: 16,
      latents_mean: [
        -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632, -0.1922,
        -0.9497, 0.2503, -0.2921,
      ],
      latents_std: [
        2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253,
        2.8251, 1.916,
      ],
    },
  },
  'sana-dc-ae-f32c32': {
    title: 'SANA DC-AE f32c32 (an ONNX folder)',
    source: 'https://huggingface.co/mit-han-lab/dc-ae-f32c32-sana-1.1-diffusers (config.json)',
    config: { latent_channels: 32, scaling_factor: 0.41407 },
  },
  taesd: tiny('Stable Diffusion 1.x and 2.x', 4),
  taesdxl: tiny('Stable Diffusion XL', 4),
  taesd3: tiny('Stable Diffusion 3 and 3.5', 16),
  taef1: tiny('FLUX.1', 16),
  taef2: tiny('FLUX.2, 32 channels at 1/8', 32),
} as const satisfies Readonly<Record<string, ModelPreset>>;

export type PresetName = keyof typeof MODEL_PRESETS;

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(MODEL_PRESETS, name);
}
