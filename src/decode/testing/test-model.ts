/** A small real model for tests: convolutions with seeded weights, in the form that installed models have. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphPrecision, InstalledModel } from '../../models/installed-model.js';
import { bytesOf, GraphBuilder, int, ints, text } from '../../models/onnx/graph-builder.js';
import type { OnnxModel } from '../../models/onnx/model.js';
import { ELEMENT_TYPE } from '../../models/onnx/model.js';
import { serializeModel } from '../../models/onnx/write-model.js';

export const TEST_CHANNELS = 4;
export const TEST_FACTOR = 8;

const OPSETS = new Map([['', 17]]);
const IR_VERSION = 8;

function weights(builder: GraphBuilder, name: string, dims: readonly number[], gain: number): string {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const values = Float32Array.from({ length: count }, (_, i) => gain * Math.sin(i * 12.9898 + name.length * 78.233));
  return builder.weight({
    name,
    elementType: ELEMENT_TYPE.float32,
    dims,
    data: { kind: 'memory', bytes: bytesOf(values) },
  });
}

function decoder(precision: GraphPrecision, gain: number): OnnxModel {
  const builder = new GraphBuilder('test');
  const input = precision === 'f32' ? 'latent_sample' : builder.cast('latent_sample', ELEMENT_TYPE.float32);
  const pads = { pads: ints(1, 1, 1, 1) };
  let x = builder.op('Conv', [input, weights(builder, 'w', [8, TEST_CHANNELS, 3, 3], gain)], pads);
  x = builder.op('Relu', [x]);
  const scales = builder.floats([1, 1, TEST_FACTOR, TEST_FACTOR], [4]);
  const resize = {
    mode: text('nearest'),
    nearest_mode: text('floor'),
    coordinate_transformation_mode: text('asymmetric'),
  };
  x = builder.op('Resize', [x, '', scales], resize);
  x = builder.op('Conv', [x, weights(builder, 'w_out', [3, 8, 3, 3], gain)], pads);
  x = builder.op('Sigmoid', [x]);
  x = builder.op('Round', [builder.op('Mul', [x, builder.scalar(255)])]);
  x = builder.op('Transpose', [x], { perm: ints(0, 2, 3, 1) });
  builder.op('Cast', [x], { to: int(ELEMENT_TYPE.uint8) }, 'pixels');
  const elementType = precision === 'f32' ? ELEMENT_TYPE.float32 : ELEMENT_TYPE.float16;
  return {
    irVersion: IR_VERSION,
    opsets: OPSETS,
    graph: {
      name: 'decoder',
      nodes: builder.nodes,
      initializers: builder.initializers,
      inputs: [{ name: 'latent_sample', elementType, shape: ['b', TEST_CHANNELS, 'h', 'w'] }],
      outputs: [{ name: 'pixels', elementType: ELEMENT_TYPE.uint8, shape: ['b', 'H', 'W', 3] }],
    },
  };
}

function encoder(): OnnxModel {
  const builder = new GraphBuilder('test');
  let x = builder.cast('sample', ELEMENT_TYPE.float32);
  x = builder.op('Transpose', [x], { perm: ints(0, 3, 1, 2) });
  const square = ints(TEST_FACTOR, TEST_FACTOR);
  x = builder.op('AveragePool', [x], { kernel_shape: square, strides: square });
  builder.op('Conv', [x, weights(builder, 'w', [TEST_CHANNELS, 3, 1, 1], 0.01)], {}, 'latent');
  return {
    irVersion: IR_VERSION,
    opsets: OPSETS,
    graph: {
      name: 'encoder',
      nodes: builder.nodes,
      initializers: builder.initializers,
      inputs: [{ name: 'sample', elementType: ELEMENT_TYPE.uint8, shape: ['b', 'H', 'W', 3] }],
      outputs: [{ name: 'latent', elementType: ELEMENT_TYPE.float32, shape: ['b', TEST_CHANNELS, 'h', 'w'] }],
    },
  };
}

export interface TestModelOptions {
  readonly precision?: GraphPrecision;
  /** Of the weights; NaN makes a broken model. Default 0.4. */
  readonly gain?: number;
}

/** Writes the graphs into `directory` and gives what the registry would say of them. */
export async function writeTestModel(
  directory: string,
  name: string,
  options: TestModelOptions = {},
): Promise<InstalledModel> {
  const precision = options.precision ?? 'f32';
  const decoderBytes = Buffer.concat(await serializeModel(decoder(precision, options.gain ?? 0.4)));
  const decoderPath = join(directory, `${name}-decoder.onnx`);
  const encoderPath = join(directory, `${name}-encoder.onnx`);
  await writeFile(decoderPath, decoderBytes);
  await writeFile(encoderPath, Buffer.concat(await serializeModel(encoder())));
  return {
    name,
    directory,
    latentChannels: TEST_CHANNELS,
    spatialFactor: TEST_FACTOR,
    statistics: { mean: [0, 0.1, -0.1, 0.2], std: [1, 2, 0.5, 1.5] },
    fingerprint: createHash('sha256').update(decoderBytes).digest('hex'),
    decoder: { path: decoderPath, precision, inputs: ['latent_sample'], outputs: ['pixels'] },
    encoder: { path: encoderPath, precision: 'f32', inputs: ['sample'], outputs: ['latent'] },
  };
}
