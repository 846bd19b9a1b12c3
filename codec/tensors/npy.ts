/** NumPy's .npy, versions 1 to 3 (NEP 1 and numpy/lib/format.py). */
import { CodecError } from '../errors.js';
import { BYTES_PER_ELEMENT, DEFAULT_TENSOR_LIMITS, type DType, type Tensor, type TensorLimits } from '../tensor.js';
import { fortranToC, swapByteOrder } from './memory-order.js';
import { parsePythonDictionary } from './python-literal.js';
import { tensorByteLength } from './shape.js';

export const NPY_MAGIC: Uint8Array = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** Magic and the two version bytes. */
const PREAMBLE_BYTES = 8;
/** Data starts at a multiple of this (numpy/lib/format.py, ARRAY_ALIGN). */
const ALIGNMENT = 64;
const HEADER_KEYS: readonly string[] = ['descr', 'fortran_order', 'shape'];
const DESCR = /^([<>|=])([a-zA-Z])(\d{1,4})$/;

interface NpyHeader {
  readonly dtype: DType;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/**
 * Reads one array of f16 or f32. Big-endian and Fortran-ordered arrays are brought into order; other arrays share the
 * memory of `bytes`.
 *
 * @throws CodecError naming the part that is wrong
 */
export function readNpy(bytes: Uint8Array, limits: TensorLimits = DEFAULT_TENSOR_LIMITS): Tensor {
  const { text, dataOffset } = readHeaderText(bytes, limits);
  const header = parseHeader(text);
  const { dtype, shape } = header;
  const expected = tensorByteLength('npy', 'shape', dtype, shape, limits);
  const stored = bytes.subarray(dataOffset);
  if (stored.byteLength !== expected) {
    throw new CodecError(
      'npy',
      'data',
      `${stored.byteLength} bytes where [${shape.join(', ')}] of ${dtype} takes ${expected}`,
    );
  }
  const elementBytes = dtype === 'f32' ? 4 : 2;
  const little = header.bigEndian ? swapByteOrder(stored, elementBytes) : stored;
  return { dtype, shape, data: header.fortranOrder ? fortranToC(little, shape, elementBytes) : little };
}

/**
 * Writes version 1.0. NumPy has no bf16: such a tensor is written as f32, which holds every bf16 exactly.
 *
 * @throws CodecError when the shape and the data do not agree
 */
export function writeNpy(tensor: Tensor): Uint8Array {
  const { shape } = tensor;
  const expected = tensorByteLength('npy', 'shape', tensor.dtype, shape, { maxElements: Number.MAX_SAFE_INTEGER });
  if (tensor.data.byteLength !== expected) {
    throw new CodecError('npy', 'data', `${tensor.data.byteLength} bytes where the shape takes ${expected}`);
  }
  const { descr, data } =
    tensor.dtype === 'bf16'
      ? { descr: '<f4', data: widenBf16(tensor.data) }
      : { descr: tensor.dtype === 'f16' ? '<f2' : '<f4', data: tensor.data };
  const tuple = shape.length === 1 ? `(${String(shape[0])},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const unpadded = PREAMBLE_BYTES + 2 + dictionary.length + 1;
  const headerEnd = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const file = Buffer.alloc(headerEnd + data.byteLength, ' ');
  file.set(NPY_MAGIC);
  file.set([1, 0], NPY_MAGIC.byteLength);
  file.writeUInt16LE(headerEnd - PREAMBLE_BYTES - 2, PREAMBLE_BYTES);
  file.write(dictionary, PREAMBLE_BYTES + 2, 'latin1');
  file[headerEnd - 1] = 0x0a;
  file.set(data, headerEnd);
  return file;
}

function readHeaderText(bytes: Uint8Array, limits: TensorLimits): { text: string; dataOffset: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!NPY_MAGIC.every((byte, index) => bytes[index] === byte)) throw new CodecError('npy', 'magic', 'no .npy file');
  const [major, minor] = [bytes[6], bytes[7]];
  if (major === undefined || minor === undefined) throw new CodecError('npy', 'version', 'the file ends before it');
  if (major < 1 || major > 3 || minor !== 0) {
    throw new CodecError('npy', 'version', `${major}.${minor} is unknown; 1.0, 2.0 and 3.0 are read`);
  }
  const lengthBytes = major === 1 ? 2 : 4;
  const start = PREAMBLE_BYTES + lengthBytes;
  if (bytes.byteLength < start) throw new CodecError('npy', 'header length', 'the file ends before it');
  const length = view.readUIntLE(PREAMBLE_BYTES, lengthBytes);
  if (length > limits.maxHeaderBytes) {
    throw new CodecError('npy', 'header length', `${length} bytes, the limit is ${limits.maxHeaderBytes}`);
  }
  if (length > bytes.byteLength - start) {
    throw new CodecError('npy', 'header length', `${length} bytes, the file has ${bytes.byteLength - start} left`);
  }
  const text = view.toString(major === 3 ? 'utf8' : 'latin1', start, start + length);
  return { text, dataOffset: start + length };
}

function parseHeader(text: string): NpyHeader {
  const entries = parsePythonDictionary(text);
  if (!entries) {
    throw new CodecError(
      'npy',
      'header',
      "must be one dictionary of 'descr', 'fortran_order' and 'shape' (structured arrays are not read)",
    );
  }
  for (const key of entries.keys()) {
    if (!HEADER_KEYS.includes(key)) throw new CodecError('npy', `header.${key}`, 'unknown key');
  }
  const [descr, fortranOrder, shape] = HEADER_KEYS.map((key) => entries.get(key));
  if (typeof descr !== 'string') throw new CodecError('npy', 'header.descr', 'must be text such as <f2');
  if (typeof fortranOrder !== 'boolean') throw new CodecError('npy', 'header.fortran_order', 'must be True or False');
  if (typeof shape !== 'object') throw new CodecError('npy', 'header.shape', 'must be a tuple of whole numbers');
  const [, order, kind, size] = DESCR.exec(descr) ?? [];
  const dtype = `${kind ?? ''}${size ?? ''}`;
  if (dtype === 'f2' || dtype === 'f4') {
    return { dtype: dtype === 'f2' ? 'f16' : 'f32', bigEndian: order === '>', fortranOrder, shape };
  }
  throw new CodecError('npy', 'header.descr', refusal(descr, dtype));
}

function refusal(descr: string, dtype: string): string {
  const found = `${JSON.stringify(descr)} is not read`;
  if (dtype === 'f8')
    return `${found}: a float64 latent is an accident of the writer; save array.astype(numpy.float32)`;
  if (dtype === 'V2') return `${found}: it may be bfloat16, which .npy cannot name; save .safetensors instead`;
  return `${found}: latents are float16 (<f2) or float32 (<f4)`;
}

function widenBf16(data: Uint8Array): Uint8Array {
  const wide = new Uint8Array((data.byteLength / BYTES_PER_ELEMENT.bf16) * BYTES_PER_ELEMENT.f32);
  for (let from = 0, to = 2; from < data.byteLength; from += 2, to += 4) {
    wide[to] = data[from] ?? 0;
    wide[to + 1] = data[from + 1] ?? 0;
  }
  return wide;
}
