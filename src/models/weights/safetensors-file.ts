/**
 * Weights in a safetensors file, located but not read: a graph writer copies them from file to file, one at a time.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { describeCause, ModelError } from '../model-error.js';
import { ELEMENT_TYPE, elementCount, type OnnxTensor } from '../onnx/model.js';
import { tensorBytes } from '../onnx/write-model.js';
import { bytesOf } from '../onnx/graph-builder.js';
import { bfloatToFloat, fitsHalf, floatToHalf } from './half.js';
import { refuseShape, type WeightSource, type WeightType } from './weight-source.js';

/** Twice the header of the largest published VAE. The format's own bound is 100 MB. */
const MAX_HEADER_BYTES = 16 << 20;
const LENGTH_BYTES = 8;

const TYPES: Readonly<Record<string, { type: WeightType; bytes: number }>> = {
  F32: { type: ELEMENT_TYPE.float32, bytes: 4 },
  F16: { type: ELEMENT_TYPE.float16, bytes: 2 },
  BF16: { type: ELEMENT_TYPE.bfloat16, bytes: 2 },
};

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());

export class SafetensorsFile implements WeightSource {
  readonly #tensors: ReadonlyMap<string, OnnxTensor>;

  private constructor(
    readonly subject: string,
    tensors: ReadonlyMap<string, OnnxTensor>,
  ) {
    this.#tensors = tensors;
  }

  /**
   * Reads the header of the file at `path`. Integer tensors (batch counters) are passed over.
   * @throws ModelError `missing-file` or `broken-file`.
   */
  static async open(path: string): Promise<SafetensorsFile> {
    let header: Uint8Array;
    let dataStart: number;
    let size: number;
    try {
      const file = await open(path, 'r');
      try {
        size = (await file.stat()).size;
        const prefix = Buffer.alloc(LENGTH_BYTES);
        await file.read(prefix, 0, LENGTH_BYTES, 0);
        const length = size < LENGTH_BYTES ? 0n : prefix.readBigUInt64LE();
        if (length < 2n || length > BigInt(MAX_HEADER_BYTES) || Number(length) + LENGTH_BYTES > size) {
          throw new ModelError('broken-file', path, `not safetensors: header of ${length} bytes in a file of ${size}`);
        }
        header = new Uint8Array(Number(length));
        await file.read(header, 0, header.length, LENGTH_BYTES);
        dataStart = LENGTH_BYTES + header.length;
      } finally {
        await file.close();
      }
    } catch (cause) {
      if (cause instanceof ModelError) throw cause;
      throw new ModelError('missing-file', path, `cannot be read: ${describeCause(cause)}`, { cause });
    }
    return new SafetensorsFile(path, parseHeader(path, header, dataStart, size));
  }

  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  shape(name: string): readonly number[] | undefined {
    return this.#tensors.get(name)?.dims;
  }

  tensor(name: string, dims: readonly number[], view?: readonly number[]): OnnxTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined || !sameWeights(tensor.dims, dims)) refuseShape(this.subject, name, tensor?.dims, dims);
    return { ...tensor, dims: view ?? dims };
  }

  /** A tensor's values in float32. @throws ModelError `shape-mismatch`. */
  async values(name: string, dims: readonly number[]): Promise<Float32Array> {
    return asFloats(this.tensor(name, dims));
  }

  /**
   * The same weights as half precision, in memory.
   * @throws ModelError `not-finite` where a weight does not fit.
   */
  async inHalfPrecision(): Promise<SafetensorsFile> {
    const tensors = new Map<string, OnnxTensor>();
    for (const [name, tensor] of this.#tensors) {
      if (tensor.elementType === ELEMENT_TYPE.float16) {
        tensors.set(name, tensor);
        continue;
      }
      const floats = await asFloats(tensor);
      if (!fitsHalf(floats)) {
        throw new ModelError('not-finite', this.subject, `tensor ${name} exceeds half precision; use --precision f32`);
      }
      const bytes = bytesOf(floatToHalf(floats));
      tensors.set(name, { ...tensor, elementType: ELEMENT_TYPE.float16, data: { kind: 'memory', bytes } });
    }
    return new SafetensorsFile(this.subject, tensors);
  }
}

/** Linear layers were 1×1 convolutions in older checkpoints: trailing ones do not matter. */
function sameWeights(found: readonly number[], fits: readonly number[]): boolean {
  const trimmed = (dims: readonly number[]): string => dims.join().replace(/(,1)+$/, '');
  return trimmed(found) === trimmed(fits);
}

async function asFloats(tensor: OnnxTensor): Promise<Float32Array> {
  const bytes = await tensorBytes(tensor);
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  if (tensor.elementType === ELEMENT_TYPE.float32) return new Float32Array(buffer, byteOffset, byteLength / 4);
  const words = new Uint16Array(buffer, byteOffset, byteLength / 2);
  if (tensor.elementType === ELEMENT_TYPE.bfloat16) return bfloatToFloat(words);
  throw new RangeError(`${tensor.name} has element type ${tensor.elementType}`);
}

function parseHeader(path: string, bytes: Uint8Array, dataStart: number, size: number): Map<string, OnnxTensor> {
  let header: Record<string, unknown>;
  try {
    header = headerSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new ModelError('broken-file', path, `not safetensors: ${describeCause(cause)}`, { cause });
  }
  const tensors = new Map<string, OnnxTensor>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const entry = entrySchema.safeParse(value);
    if (!entry.success) throw new ModelError('broken-file', path, `tensor ${name}: its header entry is malformed`);
    const { dtype, shape, data_offsets: offsets } = entry.data;
    const [begin, end] = offsets;
    const type = TYPES[dtype];
    if (end < begin || dataStart + end > size) {
      throw new ModelError('broken-file', path, `tensor ${name} ends at byte ${dataStart + end} of ${size}`);
    }
    if (type === undefined) continue;
    if (elementCount(shape) * type.bytes !== end - begin) {
      throw new ModelError(
        'broken-file',
        path,
        `tensor ${name} holds ${end - begin} bytes, not what its shape asks for`,
      );
    }
    const data = { kind: 'file', path, offset: dataStart + begin, byteLength: end - begin } as const;
    tensors.set(name, { name, elementType: type.type, dims: shape, data });
  }
  return tensors;
}
