/** safetensors files (huggingface/safetensors, README "Format"), read strictly: what the format forbids is refused. */
import { CodecError } from '../errors.js';
import { isJsonObject, parseStrictJson } from '../strict-json.js';
import { DEFAULT_TENSOR_LIMITS, type DType, type Tensor, type TensorLimits } from '../tensor.js';
import { tensorByteLength } from './shape.js';

export interface Safetensors {
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
const METADATA_KEY = '__metadata__';
const DTYPES: Readonly<Record<string, DType>> = { F16: 'f16', BF16: 'bf16', F32: 'f32' };
const NAMES: Readonly<Record<DType, string>> = { f16: 'F16', bf16: 'BF16', f32: 'F32' };
/** Data starts at a multiple of this, as the reference writer does. */
const ALIGNMENT = 8;

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads every tensor; their data share the memory of `bytes`, at any alignment.
 *
 * @throws CodecError naming the tensor and key that is wrong: a header over the limit, a type other than F16, BF16 and
 *   F32, offsets that overlap, leave gaps or do not match the shape
 */
export function readSafetensors(bytes: Uint8Array, limits: TensorLimits = DEFAULT_TENSOR_LIMITS): Safetensors {
  const data = bytes.subarray(LENGTH_BYTES + headerLength(bytes, limits));
  const headerBytes = bytes.subarray(LENGTH_BYTES, bytes.byteLength - data.byteLength);
  if (headerBytes[0] !== 0x7b) throw new CodecError('safetensors', 'header', 'must begin with {');
  const header = parseStrictJson('safetensors', 'header', headerBytes);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => parseEntry(name, value, limits))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, Tensor>();
  let position = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    if (begin !== position) {
      const problem = begin < position ? 'overlaps the tensor before it' : 'leaves a gap before it';
      throw new CodecError('safetensors', `${name}.data_offsets`, `${problem}: begins at ${begin}, not at ${position}`);
    }
    if (end > data.byteLength) {
      throw new CodecError(
        'safetensors',
        `${name}.data_offsets`,
        `ends at ${end}, the file has ${data.byteLength} bytes of data`,
      );
    }
    position = end;
    tensors.set(name, { dtype, shape, data: data.subarray(begin, end) });
  }
  if (position !== data.byteLength) {
    throw new CodecError('safetensors', 'data', `${data.byteLength - position} bytes belong to no tensor`);
  }
  return { tensors, metadata: parseMetadata(header[METADATA_KEY]) };
}

/**
 * Writes tensors in the order given, without gaps, the header padded with spaces so that data are aligned to 8 bytes.
 *
 * @throws CodecError when a tensor's shape and data do not agree, or it has the name of the metadata
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA_KEY, metadata]] : [];
  let position = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    if (name === METADATA_KEY) throw new CodecError('safetensors', name, 'no name for a tensor');
    const expected = tensorByteLength('safetensors', `${name}.shape`, dtype, shape, {
      maxElements: Number.MAX_SAFE_INTEGER,
    });
    if (data.byteLength !== expected) {
      throw new CodecError('safetensors', name, `${data.byteLength} bytes where the shape takes ${expected}`);
    }
    const end = position + data.byteLength;
    header.push([name, { dtype: NAMES[dtype], shape, data_offsets: [position, end] }]);
    position = end;
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const dataOffset = Math.ceil((LENGTH_BYTES + text.byteLength) / ALIGNMENT) * ALIGNMENT;
  const file = Buffer.alloc(dataOffset + position, ' ');
  file.writeBigUInt64LE(BigInt(dataOffset - LENGTH_BYTES));
  file.set(text, LENGTH_BYTES);
  let offset = dataOffset;
  for (const { data } of tensors.values()) {
    file.set(data, offset);
    offset += data.byteLength;
  }
  return file;
}

function headerLength(bytes: Uint8Array, limits: TensorLimits): number {
  if (bytes.byteLength < LENGTH_BYTES) throw new CodecError('safetensors', 'header length', 'the file ends before it');
  const declared = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (declared > BigInt(limits.maxHeaderBytes)) {
    throw new CodecError(
      'safetensors',
      'header length',
      `${declared.toString()} bytes, the limit is ${limits.maxHeaderBytes}`,
    );
  }
  const length = Number(declared);
  if (length > bytes.byteLength - LENGTH_BYTES) {
    throw new CodecError(
      'safetensors',
      'header length',
      `${length} bytes, the file has ${bytes.byteLength - LENGTH_BYTES} left`,
    );
  }
  return length;
}

function parseEntry(name: string, value: unknown, limits: TensorLimits): Entry {
  const wrong = (key: string, problem: string) =>
    new CodecError('safetensors', key === '' ? name : `${name}.${key}`, problem);
  if (!isJsonObject(value)) throw wrong('', 'is no JSON object');
  const { dtype: type, shape, data_offsets: offsets } = value;
  for (const key of Object.keys(value)) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') throw wrong(key, 'unknown key');
  }
  const dtype = typeof type === 'string' && Object.hasOwn(DTYPES, type) ? DTYPES[type] : undefined;
  if (!dtype) {
    const advice = type === 'F64' ? '; save tensor.float()' : '';
    throw wrong(
      'dtype',
      `${(JSON.stringify(type) as string | undefined) ?? 'nothing'} is not read: latents are F16, BF16 or F32${advice}`,
    );
  }
  if (!isNumbers(shape)) throw wrong('shape', 'must be a list of whole numbers');
  const expected = tensorByteLength('safetensors', `${name}.shape`, dtype, shape, limits);
  const [begin, end] = isNumbers(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || !isOffset(begin) || !isOffset(end) || end < begin) {
    throw wrong('data_offsets', 'must be two whole numbers, begin and end');
  }
  if (end - begin !== expected) {
    throw wrong('data_offsets', `${end - begin} bytes where [${shape.join(', ')}] of ${dtype} takes ${expected}`);
  }
  return { name, dtype, shape, begin, end };
}

function parseMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isJsonObject(value)) throw new CodecError('safetensors', METADATA_KEY, 'is no JSON object');
  const entries = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== 'string') throw new CodecError('safetensors', `${METADATA_KEY}.${key}`, 'must be text');
    return [key, text];
  });
  return Object.fromEntries(entries);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
