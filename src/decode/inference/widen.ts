/** Half-precision inputs of single-precision graphs, widened in the inference process: half the bytes cross to it. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { widenHalf } from '../half-floats.js';
import { Scratch } from './tensor-io.js';

const scratch = new Scratch();

/**
 * The inputs as the session takes them: float16 becomes float32, exactly, where it takes float32. What it gives is
 * overwritten by the next call.
 */
export function widened(session: InferenceSession, inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const result = new Map(inputs);
  for (const taken of session.inputMetadata) {
    const given = inputs.get(taken.name);
    if (!taken.isTensor || taken.type !== 'float32' || given?.type !== 'float16') continue;
    if (!ArrayBuffer.isView(given.data)) throw new TypeError(`the values of "${taken.name}" are no numbers`);
    const { buffer, byteOffset, byteLength } = given.data;
    const single = scratch.tensor({ name: taken.name, type: 'float32', dims: [...given.dims] });
    if (single.data instanceof Float32Array)
      widenHalf(new Uint16Array(buffer, byteOffset, byteLength / 2), single.data);
    result.set(taken.name, single);
  }
  return result;
}
