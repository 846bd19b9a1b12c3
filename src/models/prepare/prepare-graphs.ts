/**
 * Graph preparation: what lies between an exported VAE and the bytes that the gateway moves is folded into its graphs,
 * so that a third of the bytes leave the device and no pixel loop runs in JavaScript.
 */
import { ModelError } from '../model-error.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { type Dimension, ELEMENT_TYPE, type OnnxModel, type OnnxValue } from '../onnx/model.js';
import { type LatentSpace, scale, TO_CHANNELS_FIRST, TO_CHANNELS_LAST, unscale, vaeChannels } from './latent-space.js';
import { expectChannels, type ImagePort, imagePorts, isFixed } from './ports.js';

/** What an exported graph's samples mean: diffusers' [-1, 1], or the [0, 1] of the original TAESD. */
export type SampleRange = 'symmetric' | 'unit';

/** Counts up with every change of the prepared graphs' arithmetic; part of a model's fingerprint. */
export const PREPARATION_VERSION = 1;

/** Counts up when models get further graphs; names the folder of prepared graphs and leaves the fingerprint alone. */
export const GRAPH_SET = 2;

const SCOPE = 'latentbox';
export const LATENT_INPUT = 'scaled_latent';
export const PIXEL_OUTPUT = 'pixels_nhwc';
export const PIXEL_INPUT = 'pixels_nhwc';
export const LATENT_OUTPUT = 'scaled_latent';
export const SAMPLE_OUTPUT = 'sample';

export interface PreparedModel {
  readonly model: OnnxModel;
  readonly precision: 'f32' | 'f16';
  readonly fixedLatentSize?: { readonly height: number; readonly width: number };
}

/**
 * Scaled latents in the graph's precision to float32 samples in [-1, 1], unclamped: the exported decoder with the
 * latent space's constants in front.
 * @param path names the graph in errors.
 * @throws ModelError `shape-mismatch` or `unsupported`.
 */
export function scaledDecoder(path: string, model: OnnxModel, space: LatentSpace, range: SampleRange): PreparedModel {
  const { input, output } = imagePorts(path, model, ['sample']);
  expectChannels(path, input, [vaeChannels(space)], "latent_channels in config.json must be the decoder's");
  expectChannels(path, output, [3], 'only RGB decoders can be served');
  refuseScope(path, model);
  const front = new GraphBuilder(`${SCOPE}/in`);
  const raw = unscale(front, LATENT_INPUT, space, input.elementType);
  front.op('Identity', [raw], {}, input.name);
  const back = new GraphBuilder(`${SCOPE}/out`);
  let sample = output.elementType === ELEMENT_TYPE.float32 ? output.name : back.cast(output.name, ELEMENT_TYPE.float32);
  if (range === 'unit') {
    sample = back.op('Sub', [back.op('Mul', [sample, back.scalar(2)]), back.scalar(1)]);
  }
  back.op('Identity', [sample], {}, `${SCOPE}/${SAMPLE_OUTPUT}`);
  const latent = latentValue(LATENT_INPUT, space, input);
  const fixed = isFixed(input)
    ? { fixedLatentSize: { height: input.height / space.patchSize, width: input.width / space.patchSize } }
    : {};
  return {
    model: wrap(model, front, back, latent, {
      name: `${SCOPE}/${SAMPLE_OUTPUT}`,
      elementType: ELEMENT_TYPE.float32,
      shape: [latent.shape[0], 3, sized(output.height, 'image_height'), sized(output.width, 'image_width')],
    }),
    precision: precisionOf(input),
    ...fixed,
  };
}

/**
 * The decoder as it is served: `scaledDecoder`, then round-half-even(clamp(x·0.5 + 0.5)·255) as uint8 `[B, H, W, 3]`.
 * Source of the arithmetic: diffusers' VaeImageProcessor (`denormalize`, `numpy_to_pil`).
 */
export function servedDecoder(scaled: PreparedModel): PreparedModel {
  const output = scaled.model.graph.outputs[0];
  const input = scaled.model.graph.inputs[0];
  if (output === undefined || input === undefined)
    throw new RangeError('a scaled decoder has one input and one output');
  const back = new GraphBuilder(`${SCOPE}/pixels`);
  let value = back.op('Add', [back.op('Mul', [output.name, back.scalar(0.5)]), back.scalar(0.5)]);
  value = back.op('Clip', [value, back.scalar(0), back.scalar(1)]);
  value = back.op('Round', [back.op('Mul', [value, back.scalar(255)])]);
  value = back.op('Transpose', [value], { perm: TO_CHANNELS_LAST });
  back.cast(value, ELEMENT_TYPE.uint8, PIXEL_OUTPUT);
  const [batch, , height, width] = output.shape ?? [];
  const pixels = { name: PIXEL_OUTPUT, elementType: ELEMENT_TYPE.uint8, shape: [batch, height, width, 3] };
  return { ...scaled, model: wrap(scaled.model, new GraphBuilder(`${SCOPE}/none`), back, input, pixels) };
}

/**
 * uint8 RGB `[B, H, W, 3]` to scaled latent means `[B, C, h, w]` in float32: `x/255·2 − 1`, the exported encoder, the
 * mean half of `latent_parameters` where it gives mean and log-variance, then scaling.
 * @throws ModelError `shape-mismatch` or `unsupported`.
 */
export function servedEncoder(path: string, model: OnnxModel, space: LatentSpace, range: SampleRange): PreparedModel {
  const { input, output } = imagePorts(path, model, ['latent_parameters', 'latent_sample', 'latent']);
  const channels = vaeChannels(space);
  expectChannels(path, input, [3], 'only RGB encoders can be served');
  expectChannels(path, output, [channels, 2 * channels], "latent_channels in config.json must be the encoder's");
  refuseScope(path, model);
  const front = new GraphBuilder(`${SCOPE}/in`);
  let value = front.op('Transpose', [front.cast(PIXEL_INPUT, ELEMENT_TYPE.float32)], { perm: TO_CHANNELS_FIRST });
  value = front.op('Div', [value, front.scalar(255)]);
  if (range === 'symmetric') value = front.op('Sub', [front.op('Mul', [value, front.scalar(2)]), front.scalar(1)]);
  front.cast(value, input.elementType, input.name);
  const back = new GraphBuilder(`${SCOPE}/out`);
  // Where the output is the latent itself, Slice ends at the last channel and takes all.
  let latent = back.op('Slice', [output.name, back.integers([0]), back.integers([channels]), back.integers([1])]);
  if (output.elementType !== ELEMENT_TYPE.float32) latent = back.cast(latent, ELEMENT_TYPE.float32);
  back.op('Identity', [scale(back, latent, space)], {}, LATENT_OUTPUT);
  const batch = sized(input.batch, 'batch');
  const pixels = [batch, sized(input.height, 'image_height'), sized(input.width, 'image_width'), 3];
  const result = latentValue(LATENT_OUTPUT, space, output);
  return {
    model: wrap(
      model,
      front,
      back,
      { name: PIXEL_INPUT, elementType: ELEMENT_TYPE.uint8, shape: pixels },
      { ...result, elementType: ELEMENT_TYPE.float32 },
    ),
    precision: precisionOf(input),
    ...(isFixed(output)
      ? { fixedLatentSize: { height: output.height / space.patchSize, width: output.width / space.patchSize } }
      : {}),
  };
}

function precisionOf(port: ImagePort): 'f32' | 'f16' {
  return port.elementType === ELEMENT_TYPE.float32 ? 'f32' : 'f16';
}

function latentValue(name: string, space: LatentSpace, port: ImagePort): OnnxValue & { shape: readonly Dimension[] } {
  const side = (dimension: Dimension, symbol: string): Dimension =>
    typeof dimension === 'number' ? dimension / space.patchSize : symbol;
  const shape = [sized(port.batch, 'batch'), space.channels, side(port.height, 'height'), side(port.width, 'width')];
  return { name, elementType: port.elementType, shape };
}

/** A fixed size as it is, anything else under our own symbol: theirs need not agree with ours. */
function sized(dimension: Dimension, symbol: string): Dimension {
  return typeof dimension === 'number' ? dimension : symbol;
}

function refuseScope(path: string, model: OnnxModel): void {
  const taken = [LATENT_INPUT, PIXEL_OUTPUT];
  const { graph } = model;
  const clash = graph.nodes
    .flatMap((node) => node.outputs)
    .concat(graph.inputs.map((input) => input.name))
    .find((name) => name.startsWith(`${SCOPE}/`) || taken.includes(name));
  if (clash === undefined) return;
  throw new ModelError(
    'unsupported',
    path,
    `value "${clash}" has a name that preparation needs; rename it in the graph`,
  );
}

function wrap(
  model: OnnxModel,
  front: GraphBuilder,
  back: GraphBuilder,
  input: OnnxValue,
  output: OnnxValue,
): OnnxModel {
  const { graph } = model;
  return {
    ...model,
    graph: {
      ...graph,
      nodes: [...front.nodes, ...graph.nodes, ...back.nodes],
      initializers: [...front.initializers, ...graph.initializers, ...back.initializers],
      inputs: [input],
      outputs: [output],
    },
  };
}
