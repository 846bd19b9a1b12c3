/** From a stored latent to what a decoder graph takes: scaled values in the graph's precision. */
import type { Tensor } from '../../codec/tensor.js';
import type { GraphPrecision, LatentStatistics } from '../models/installed-model.js';
import { toFloat16, toFloat32 } from './half-floats.js';

/** A latent `[C, h, w]` in the element type of a graph; `data` owns its whole buffer, so that it can be transferred. */
export interface GraphLatent {
  readonly precision: GraphPrecision;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The bytes of one element of a graph's tensors. */
export const BYTES_PER_GRAPH_ELEMENT: Readonly<Record<GraphPrecision, number>> = { f16: 2, f32: 4 };

function bytesOf(view: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** `bytes` with a buffer of its own: the same object where it already fills its buffer. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole =
    bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  return whole ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

/** scaled = (z - mean) / std, channel by channel, in binary32. */
function scaleValues(raw: Float32Array, channels: number, statistics: LatentStatistics): Float32Array {
  const plane = raw.length / channels;
  const out = new Float32Array(raw.length);
  for (let channel = 0; channel < channels; channel++) {
    const mean = statistics.mean[channel];
    const std = statistics.std[channel];
    if (mean === undefined || std === undefined)
      throw new RangeError(`the model has no statistics for channel ${channel}`);
    const end = (channel + 1) * plane;
    for (let i = channel * plane; i < end; i++) out[i] = ((raw[i] ?? 0) - mean) / std;
  }
  return out;
}

/**
 * Bit-exact where the stored type is accepted and the values are scaled; else by way of binary32, rounded once.
 * @param tensor `[C, h, w]`
 * @param scaled whether the values are diffusion-scaled already
 * @param accepted element types that the device takes, the graph's own first
 * @throws RangeError when the tensor has not the model's three axes and channels
 */
export function prepareLatent(
  tensor: Tensor,
  scaled: boolean,
  accepted: readonly [GraphPrecision, ...GraphPrecision[]],
  statistics: LatentStatistics,
): GraphLatent {
  const [channels, height, width] = tensor.shape;
  if (tensor.shape.length !== 3 || channels === undefined || height === undefined || width === undefined) {
    throw new RangeError(`a latent has the axes [C, h, w], not [${tensor.shape.join(', ')}]`);
  }
  if (channels !== statistics.mean.length)
    throw new RangeError(`the model has ${statistics.mean.length} latent channels, the tensor ${channels}`);
  const shape = { channels, height, width };
  const asStored = scaled ? accepted.find((type) => type === tensor.dtype) : undefined;
  if (asStored !== undefined) return { ...shape, precision: asStored, data: owned(tensor.data) };
  const values = toFloat32(tensor.data, tensor.dtype);
  const inFloat = scaled ? values : scaleValues(values, channels, statistics);
  const [precision] = accepted;
  return { ...shape, precision, data: owned(bytesOf(precision === 'f32' ? inFloat : toFloat16(inFloat))) };
}
