/**
 * AutoencoderKL (SD 1.x, SDXL, SD 3.x, FLUX.1, FLUX.2), encoder and decoder, from configuration and weights.
 *
 * Source: diffusers' `Encoder`, `Decoder`, `ResnetBlock2D`, `UNetMidBlock2D` and `Attention`; Rombach et al.,
 * "High-Resolution Image Synthesis with Latent Diffusion Models", for the architecture.
 */
import { z } from 'zod';
import type { OnnxModel } from '../onnx/model.js';
import { firstKnown, type WeightSource } from '../weights/weight-source.js';
import { EXPORT_NAMES, type GraphPrecision, LayerWriter } from './layers.js';

const EPSILON = 1e-6;
const MAX_STAGES = 8;
const MAX_WIDTH = 4096;

/** The keys of diffusers' configuration that shape the graphs, with diffusers' defaults. */
export const klConfigSchema = z.looseObject({
  latent_channels: z.int().positive().default(4),
  in_channels: z.literal(3).default(3),
  out_channels: z.literal(3).default(3),
  block_out_channels: z.array(z.int().positive().max(MAX_WIDTH)).min(1).max(MAX_STAGES).default([64]),
  decoder_block_out_channels: z.array(z.int().positive().max(MAX_WIDTH)).min(1).max(MAX_STAGES).nullish(),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')).optional(),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')).optional(),
  layers_per_block: z.int().positive().max(16).default(1),
  norm_num_groups: z.int().positive().default(32),
  act_fn: z.literal('silu').default('silu'),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
  mid_block_add_attention: z.boolean().default(true),
});

export type KlConfig = z.infer<typeof klConfigSchema>;

/** Decoder: `latent_sample [B, C, h, w]` to `sample [B, 3, f·h, f·w]`. @throws ModelError `shape-mismatch`. */
export function klDecoder(config: KlConfig, weights: WeightSource, precision: GraphPrecision): OnnxModel {
  const net = new KlWriter(config, weights, precision);
  const { writer } = net;
  const widths = (config.decoder_block_out_channels ?? config.block_out_channels).toReversed();
  const [widest = 0] = widths;
  const channels = config.latent_channels;
  let x: string = EXPORT_NAMES.latent;
  if (config.use_post_quant_conv) x = writer.conv(x, 'post_quant_conv', channels, channels, { kernel: 1 });
  x = writer.conv(x, 'decoder.conv_in', channels, widest, { kernel: 3 });
  x = net.middle(x, 'decoder.mid_block', widest);
  let width = widest;
  for (const [stage, next] of widths.entries()) {
    const name = `decoder.up_blocks.${stage}`;
    for (let layer = 0; layer <= config.layers_per_block; layer += 1) {
      x = net.residual(x, `${name}.resnets.${layer}`, width, next);
      width = next;
    }
    if (stage < widths.length - 1) {
      x = writer.conv(writer.upsample(x), `${name}.upsamplers.0.conv`, width, width, { kernel: 3 });
    }
  }
  x = writer.silu(net.norm(x, 'decoder.conv_norm_out', width));
  x = writer.conv(x, 'decoder.conv_out', width, 3, { kernel: 3 });
  return writer.finish({ name: EXPORT_NAMES.latent, channels }, { name: EXPORT_NAMES.sample, value: x, channels: 3 });
}

/** Encoder: `sample [B, 3, H, W]` to `latent_parameters [B, 2C, H/f, W/f]`, means then log-variances. @throws ModelError */
export function klEncoder(config: KlConfig, weights: WeightSource, precision: GraphPrecision): OnnxModel {
  const net = new KlWriter(config, weights, precision);
  const { writer } = net;
  const widths = config.block_out_channels;
  let [width = 0] = widths;
  let x = writer.conv(EXPORT_NAMES.sample, 'encoder.conv_in', 3, width, { kernel: 3 });
  for (const [stage, next] of widths.entries()) {
    const name = `encoder.down_blocks.${stage}`;
    for (let layer = 0; layer < config.layers_per_block; layer += 1) {
      x = net.residual(x, `${name}.resnets.${layer}`, width, next);
      width = next;
    }
    if (stage < widths.length - 1) {
      // diffusers pads the right and bottom edge only.
      const form = { kernel: 3, stride: 2, pads: [0, 0, 1, 1] } as const;
      x = writer.conv(x, `${name}.downsamplers.0.conv`, width, width, form);
    }
  }
  x = net.middle(x, 'encoder.mid_block', width);
  x = writer.silu(net.norm(x, 'encoder.conv_norm_out', width));
  const channels = 2 * config.latent_channels;
  x = writer.conv(x, 'encoder.conv_out', width, channels, { kernel: 3 });
  if (config.use_quant_conv) x = writer.conv(x, 'quant_conv', channels, channels, { kernel: 1 });
  return writer.finish(
    { name: EXPORT_NAMES.sample, channels: 3 },
    { name: EXPORT_NAMES.parameters, value: x, channels },
  );
}

/** The blocks that both halves share. */
class KlWriter {
  readonly writer: LayerWriter;
  readonly #config: KlConfig;

  constructor(config: KlConfig, weights: WeightSource, precision: GraphPrecision) {
    this.#config = config;
    this.writer = new LayerWriter(weights, precision);
  }

  norm(x: string, name: string, channels: number): string {
    return this.writer.groupNorm(x, name, channels, this.#config.norm_num_groups, EPSILON);
  }

  residual(x: string, name: string, inputs: number, outputs: number): string {
    const { writer } = this;
    let inner = writer.silu(this.norm(x, `${name}.norm1`, inputs));
    inner = writer.conv(inner, `${name}.conv1`, inputs, outputs, { kernel: 3 });
    inner = writer.silu(this.norm(inner, `${name}.norm2`, outputs));
    inner = writer.conv(inner, `${name}.conv2`, outputs, outputs, { kernel: 3 });
    const skip = inputs === outputs ? x : writer.conv(x, `${name}.conv_shortcut`, inputs, outputs, { kernel: 1 });
    return writer.add(skip, inner);
  }

  middle(x: string, name: string, width: number): string {
    let value = this.residual(x, `${name}.resnets.0`, width, width);
    if (this.#config.mid_block_add_attention) value = this.#attention(value, `${name}.attentions.0`, width);
    return this.residual(value, `${name}.resnets.1`, width, width);
  }

  /**
   * Single-head self-attention over all cells. Its linear layers are written as 1×1 convolutions, so that their
   * weights stay as they lie in the file.
   */
  #attention(x: string, name: string, width: number): string {
    const { writer } = this;
    const normal = this.norm(x, `${name}.group_norm`, width);
    const query = this.#linear(normal, [`${name}.to_q`, `${name}.query`], width);
    const key = this.#linear(normal, [`${name}.to_k`, `${name}.key`], width);
    const value = this.#linear(normal, [`${name}.to_v`, `${name}.value`], width);
    const scaled = writer.mul(writer.flatten(query), writer.scalar(1 / Math.sqrt(width)));
    const scores = writer.builder.op('MatMul', [writer.swap(scaled), writer.flatten(key)]);
    const shares = writer.builder.op('Softmax', [scores]);
    const mixed = writer.swap(writer.builder.op('MatMul', [shares, writer.swap(writer.flatten(value))]));
    const image = writer.builder.op('Reshape', [mixed, writer.builder.op('Shape', [x])]);
    return writer.add(x, this.#linear(image, [`${name}.to_out.0`, `${name}.proj_attn`], width));
  }

  #linear(x: string, names: readonly string[], width: number): string {
    const { writer } = this;
    const weight = firstKnown(
      writer.weights,
      names.map((name) => `${name}.weight`),
    );
    const bias = weight.replace(/weight$/, 'bias');
    const operands = [
      x,
      writer.parameter(weight, [width, width], [width, width, 1, 1]),
      writer.parameter(bias, [width]),
    ];
    return writer.builder.op('Conv', operands);
  }
}
