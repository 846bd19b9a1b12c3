/**
 * AutoencoderTiny (the TAESD family), encoder and decoder, from their weights alone: the key names tell the layers.
 *
 * Source: diffusers' `EncoderTiny` and `DecoderTiny`; madebyollin/taesd for the original layout, whose decoder has a
 * clamp in front, so that its indices are one higher.
 */
import { ModelError } from '../model-error.js';
import type { OnnxModel } from '../onnx/model.js';
import type { WeightSource } from '../weights/weight-source.js';
import { EXPORT_NAMES, type GraphPrecision, LayerWriter } from './layers.js';

/** The decoder softly bounds latents: tanh(z/3)·3. */
const LATENT_BOUND = 3;
const POOL_WIDENING = 4;
const POOL_GROUPS = 4;
/** PyTorch's default for GroupNorm. */
const POOL_EPSILON = 1e-5;

/** Where a half's layers lie: original files have none, diffusers' a prefix. */
export type TinyPrefix = '' | 'encoder.layers.' | 'decoder.layers.';

/** Key prefixes of the halves that a file holds. */
export function tinyLayout(weights: WeightSource): { encoder?: TinyPrefix; decoder?: TinyPrefix } {
  if (weights.has('encoder.layers.0.weight') || weights.has('decoder.layers.0.weight')) {
    return {
      ...(weights.has('encoder.layers.0.weight') ? { encoder: 'encoder.layers.' } : {}),
      ...(weights.has('decoder.layers.0.weight') ? { decoder: 'decoder.layers.' } : {}),
    };
  }
  if (weights.has('0.weight') && weights.has('1.conv.0.weight')) return { encoder: '' };
  if (weights.has('1.weight') && weights.has('3.conv.0.weight')) return { decoder: '' };
  return {};
}

/**
 * Decoder: `latent_sample [B, C, h, w]` (the tiny family's own latents) to `sample [B, 3, 8h, 8w]` in [-1, 1].
 * @throws ModelError `shape-mismatch` or `unsupported`.
 */
export function tinyDecoder(
  weights: WeightSource,
  prefix: TinyPrefix,
  precision: GraphPrecision,
): { model: OnnxModel; latentChannels: number } {
  const writer = new LayerWriter(weights, precision);
  const first = prefix === '' ? 1 : 0;
  const [, latentChannels] = convolutionShape(weights, `${prefix}${first}`);
  const bound = writer.scalar(LATENT_BOUND);
  const scaled = writer.builder.op('Div', [EXPORT_NAMES.latent, bound]);
  let x = writer.mul(writer.builder.op('Tanh', [scaled]), bound);
  x = convolution(writer, x, `${prefix}${first}`);
  x = writer.relu(x);
  const last = lastLayer(weights, prefix, first);
  for (let index = first + 2; index <= last; index += 1) {
    const name = `${prefix}${index}`;
    if (weights.has(`${name}.conv.0.weight`)) x = block(writer, x, name);
    else if (weights.has(`${name}.weight`)) x = convolution(writer, x, name);
    else x = writer.upsample(x);
  }
  // TAESD's own range is [0, 1]; the exported layout speaks diffusers' [-1, 1].
  x = writer.builder.op('Sub', [writer.mul(x, writer.scalar(2)), writer.scalar(1)]);
  const model = writer.finish(
    { name: EXPORT_NAMES.latent, channels: latentChannels },
    { name: EXPORT_NAMES.sample, value: x, channels: 3 },
  );
  return { model, latentChannels };
}

/** Encoder: `sample [B, 3, H, W]` in [-1, 1] to `latent_sample [B, C, H/8, W/8]`. @throws ModelError */
export function tinyEncoder(
  weights: WeightSource,
  prefix: TinyPrefix,
  precision: GraphPrecision,
): { model: OnnxModel; latentChannels: number } {
  const writer = new LayerWriter(weights, precision);
  const last = lastLayer(weights, prefix, 0);
  const [latentChannels] = convolutionShape(weights, `${prefix}${last}`);
  const half = writer.scalar(0.5);
  let x = writer.add(writer.mul(EXPORT_NAMES.sample, half), half);
  for (let index = 0; index <= last; index += 1) {
    const name = `${prefix}${index}`;
    if (weights.has(`${name}.conv.0.weight`)) x = block(writer, x, name);
    else x = convolution(writer, x, name, weights.has(`${name}.bias`) ? 1 : 2);
  }
  const model = writer.finish(
    { name: EXPORT_NAMES.sample, channels: 3 },
    { name: EXPORT_NAMES.latent, value: x, channels: latentChannels },
  );
  return { model, latentChannels };
}

/** conv-ReLU-conv-ReLU-conv, plus the input (through a 1×1 convolution where widths differ), then ReLU. */
function block(writer: LayerWriter, input: string, name: string): string {
  const { weights } = writer;
  const x = weights.has(`${name}.pool.0.weight`) ? writer.add(input, pool(writer, input, `${name}.pool`)) : input;
  let inner = writer.relu(convolution(writer, x, `${name}.conv.0`));
  inner = writer.relu(convolution(writer, inner, `${name}.conv.2`));
  inner = convolution(writer, inner, `${name}.conv.4`);
  const skip = weights.has(`${name}.skip.weight`) ? convolution(writer, x, `${name}.skip`) : x;
  return writer.relu(writer.add(inner, skip));
}

/** FLUX.2's tiny VAE normalises over the picture at the latent's resolution. */
function pool(writer: LayerWriter, x: string, name: string): string {
  const [wide, narrow] = convolutionShape(writer.weights, `${name}.0`);
  if (wide !== POOL_WIDENING * narrow) {
    throw new ModelError('unsupported', writer.weights.subject, `${name} widens ${narrow} channels to ${wide}`);
  }
  const inner = writer.groupNorm(convolution(writer, x, `${name}.0`), `${name}.1`, wide, POOL_GROUPS, POOL_EPSILON);
  return convolution(writer, writer.relu(inner), `${name}.3`);
}

function convolution(writer: LayerWriter, x: string, name: string, stride = 1): string {
  const { weights } = writer;
  const [outputs, inputs, kernel] = convolutionShape(weights, name);
  return writer.conv(x, name, inputs, outputs, { kernel, stride, bias: weights.has(`${name}.bias`) });
}

function convolutionShape(weights: WeightSource, name: string): [number, number, number] {
  const shape = weights.shape(`${name}.weight`);
  const [outputs, inputs, height, width] = shape ?? [];
  if (
    shape?.length !== 4 ||
    outputs === undefined ||
    inputs === undefined ||
    height === undefined ||
    height !== width
  ) {
    const found = shape === undefined ? 'absent' : `[${shape.join(', ')}]`;
    throw new ModelError('shape-mismatch', weights.subject, `${name}.weight is ${found}, not a square convolution`);
  }
  return [outputs, inputs, height];
}

/** The highest index that has weights. */
function lastLayer(weights: WeightSource, prefix: TinyPrefix, first: number): number {
  let last = first;
  // At most two layers in a row (an activation, an enlargement) have none.
  for (let index = first; index <= last + 2; index += 1) {
    if (weights.has(`${prefix}${index}.weight`) || weights.has(`${prefix}${index}.conv.0.weight`)) last = index;
  }
  return last;
}
