/** A VAE of a few weights in diffusers' ONNX layout, for tests of everything around the graphs. */
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import { bytesOf, GraphBuilder, int, text } from '../onnx/graph-builder.js';
import { ELEMENT_TYPE, type Dimension, type OnnxModel } from '../onnx/model.js';
import { writeOnnxModel } from '../onnx/write-model.js';
import { uniformNoise } from '../weights/random.js';

export const SMALL_CHANNELS = 4;
export const SMALL_FACTOR = 2;

export interface SmallGraphOptions {
  readonly channels?: number;
  /** Fixed latent sides. */
  readonly fixed?: { height: number; width: number };
  /** Multiplied into the weights; NaN makes a decoder that gives NaN. */
  readonly gain?: number;
}

/** A 1×1 convolution and DepthToSpace: latents to pictures of twice their size. */
export function smallDecoder(options: SmallGraphOptions = {}): OnnxModel {
  const { channels = SMALL_CHANNELS, fixed, gain = 1 } = options;
  const builder = new GraphBuilder('net');
  const outputs = 3 * SMALL_FACTOR ** 2;
  const values = uniformNoise(outputs * channels, 0.5, 7).map((value) => value * gain);
  const data = { kind: 'memory', bytes: bytesOf(values) } as const;
  const weight = builder.weight({
    name: 'weight',
    elementType: ELEMENT_TYPE.float32,
    dims: [outputs, channels, 1, 1],
    data,
  });
  const cells = builder.op('Conv', ['latent_sample', weight]);
  builder.op('DepthToSpace', [cells], { blocksize: int(SMALL_FACTOR), mode: text('CRD') }, 'sample');
  const sides: Dimension[] = fixed === undefined ? ['h', 'w'] : [fixed.height, fixed.width];
  return model(builder, ['latent_sample', [1, channels, ...sides]], ['sample', [1, 3, 'H', 'W']]);
}

/** SpaceToDepth and a 1×1 convolution: pictures to means and log-variances. */
export function smallEncoder(): OnnxModel {
  const builder = new GraphBuilder('net');
  const inputs = 3 * SMALL_FACTOR ** 2;
  const outputs = 2 * SMALL_CHANNELS;
  const data = { kind: 'memory', bytes: bytesOf(uniformNoise(outputs * inputs, 0.5, 8)) } as const;
  const weight = builder.weight({
    name: 'weight',
    elementType: ELEMENT_TYPE.float32,
    dims: [outputs, inputs, 1, 1],
    data,
  });
  const cells = builder.op('SpaceToDepth', ['sample'], { blocksize: int(SMALL_FACTOR) });
  builder.op('Conv', [cells, weight], {}, 'latent_parameters');
  return model(builder, ['sample', ['b', 3, 'H', 'W']], ['latent_parameters', ['b', outputs, 'h', 'w']]);
}

export const SMALL_CONFIG = { latent_channels: SMALL_CHANNELS, scaling_factor: 0.5, shift_factor: 0.25 };

/** Writes `directory/name`; `config` replaces SMALL_CONFIG. */
export async function writeSmallModel(
  directory: string,
  name: string,
  parts: { decoder?: OnnxModel; encoder?: OnnxModel; config?: unknown } = {},
): Promise<string> {
  const folder = join(directory, name);
  await mkdir(join(folder, 'vae_decoder'), { recursive: true });
  await writeOnnxModel(join(folder, 'vae_decoder/model.onnx'), parts.decoder ?? smallDecoder());
  if (parts.encoder !== undefined) {
    await mkdir(join(folder, 'vae_encoder'), { recursive: true });
    await writeOnnxModel(join(folder, 'vae_encoder/model.onnx'), parts.encoder);
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify(parts.config ?? SMALL_CONFIG));
  return folder;
}

function model(
  builder: GraphBuilder,
  [input, inputShape]: [string, Dimension[]],
  [output, outputShape]: [string, Dimension[]],
): OnnxModel {
  const elementType = ELEMENT_TYPE.float32;
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    graph: {
      name: 'small',
      nodes: builder.nodes,
      initializers: builder.initializers,
      inputs: [{ name: input, elementType, shape: inputShape }],
      outputs: [{ name: output, elementType, shape: outputShape }],
    },
  };
}
