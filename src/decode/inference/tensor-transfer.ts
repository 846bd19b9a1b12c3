/** The gateway's half of moving a job's tensors: through the exchange where they fit, else as parts of the frame. */
import type { BufferPool } from '../buffer-pool.js';
import { InferenceFailure } from '../errors.js';
import type { Slot } from './exchange.js';
import type { TensorHeader } from './protocol.js';
import type { HostTensor } from './tensors.js';
import { tensorBytes } from './tensors.js';

/** @param names of the graph's inputs, in the order of `inputs` */
export async function handOver(
  names: readonly string[],
  inputs: readonly HostTensor[],
  slot: Slot | undefined,
): Promise<{ tensors: TensorHeader[]; parts: Uint8Array[] }> {
  const tensors: TensorHeader[] = [];
  const parts: Uint8Array[] = [];
  for (const [i, { type, dims, data }] of inputs.entries()) {
    const header = { name: names[i] ?? '', type, dims: [...dims] };
    const at = await slot?.put(data);
    if (at === undefined) parts.push(data);
    tensors.push(at === undefined ? header : { ...header, at });
  }
  return { tensors, parts };
}

/**
 * @param buffers gives those that bytes are copied into
 * @throws InferenceFailure when an output does not have the bytes that its type and dimensions say
 */
export async function takeOutputs(
  tensors: readonly TensorHeader[],
  parts: readonly Uint8Array<ArrayBuffer>[],
  slot: Slot | undefined,
  buffers: BufferPool,
): Promise<HostTensor[]> {
  const inFrame = parts.values();
  const outputs: HostTensor[] = [];
  for (const [i, { type, dims, at }] of tensors.entries()) {
    const bytes = tensorBytes(type, dims);
    const data = at === undefined ? inFrame.next().value : buffers.take(bytes);
    if (at !== undefined && data !== undefined) await slot?.get(at, data);
    if (data?.byteLength !== bytes)
      throw new InferenceFailure(`output ${i} does not have the bytes of ${type} [${dims.join(', ')}]`);
    outputs.push({ type, dims, data });
  }
  return outputs;
}
