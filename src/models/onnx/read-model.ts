/** Reads an ONNX file into an OnnxModel whose weights are views of the file's bytes, not copies. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { describeCause, ModelError } from '../model-error.js';
import {
  type Attribute,
  type Dimension,
  ELEMENT_TYPE,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
} from './model.js';
import { type OnnxTensor, type OnnxValue, type TensorData, elementCount, tensorByteLength } from './model.js';
import * as schema from './schema.js';
import {
  readFields,
  readPackedVarints,
  readText,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_VARINT,
  type WireField,
} from './wire.js';

/** Bytes of one element; types that are absent here are only carried along. */
const ELEMENT_BYTES: Readonly<Record<number, number>> = {
  [ELEMENT_TYPE.float32]: 4,
  [ELEMENT_TYPE.uint8]: 1,
  [ELEMENT_TYPE.int8]: 1,
  [ELEMENT_TYPE.uint16]: 2,
  [ELEMENT_TYPE.int16]: 2,
  [ELEMENT_TYPE.int32]: 4,
  [ELEMENT_TYPE.int64]: 8,
  [ELEMENT_TYPE.bool]: 1,
  [ELEMENT_TYPE.float16]: 2,
  [ELEMENT_TYPE.float64]: 8,
  [ELEMENT_TYPE.uint32]: 4,
  [ELEMENT_TYPE.uint64]: 8,
  [ELEMENT_TYPE.bfloat16]: 2,
};

/**
 * Reads the model at `path`; external data stays in its file and is only located.
 * @throws ModelError `missing-file` or `broken-file`.
 */
export async function readOnnxModel(path: string): Promise<OnnxModel> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ModelError('missing-file', path, `cannot be read: ${describeCause(cause)}`, { cause });
  }
  try {
    return parseModel(bytes, dirname(path));
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    throw new ModelError('broken-file', path, `not an ONNX model: ${describeCause(cause)}`, { cause });
  }
}

/**
 * Parses a serialized ModelProto.
 * @param directory where external data is looked for; files outside of it are refused.
 * @throws RangeError on malformed bytes, ModelError on external data out of bounds.
 */
export function parseModel(bytes: Uint8Array, directory: string): OnnxModel {
  let irVersion = 0;
  let graph: OnnxGraph | undefined;
  const opsets = new Map<string, number>();
  const unknown: Uint8Array[] = [];
  for (const field of readFields(bytes)) {
    if (field.number === schema.MODEL.irVersion) irVersion = integer(field);
    else if (field.number === schema.MODEL.graph) graph = parseGraph(payload(field), directory);
    else if (field.number === schema.MODEL.opsetImport) {
      let domain = '';
      let version = 0;
      for (const part of readFields(payload(field))) {
        if (part.number === schema.OPSET.domain) domain = readText(payload(part));
        else if (part.number === schema.OPSET.version) version = integer(part);
      }
      opsets.set(domain === 'ai.onnx' ? '' : domain, version);
    } else unknown.push(field.raw);
  }
  if (graph === undefined) throw new RangeError('it holds no graph');
  if (!opsets.has('')) throw new RangeError('it imports no operator set');
  return { irVersion, opsets, graph, unknown };
}

function parseGraph(bytes: Uint8Array, directory: string): OnnxGraph {
  let name = '';
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const unknown: Uint8Array[] = [];
  for (const field of readFields(bytes)) {
    if (field.number === schema.GRAPH.node) nodes.push(parseNode(payload(field), directory));
    else if (field.number === schema.GRAPH.name) name = readText(payload(field));
    else if (field.number === schema.GRAPH.initializer) initializers.push(parseTensor(payload(field), directory));
    else if (field.number === schema.GRAPH.input) inputs.push(parseValue(payload(field)));
    else if (field.number === schema.GRAPH.output) outputs.push(parseValue(payload(field)));
    else unknown.push(field.raw);
  }
  const constants = new Set(initializers.map((tensor) => tensor.name));
  return {
    name,
    nodes,
    initializers,
    inputs: inputs.filter((input) => !constants.has(input.name)),
    outputs,
    unknown,
  };
}

function parseNode(bytes: Uint8Array, directory: string): OnnxNode {
  let name = '';
  let opType = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  const unknown: Uint8Array[] = [];
  for (const field of readFields(bytes)) {
    if (field.number === schema.NODE.input) inputs.push(readText(payload(field)));
    else if (field.number === schema.NODE.output) outputs.push(readText(payload(field)));
    else if (field.number === schema.NODE.name) name = readText(payload(field));
    else if (field.number === schema.NODE.opType) opType = readText(payload(field));
    else if (field.number === schema.NODE.domain) domain = readText(payload(field));
    else if (field.number === schema.NODE.attribute) {
      const parsed = parseAttribute(payload(field), directory);
      attributes.set(parsed.name, parsed.attribute);
    } else unknown.push(field.raw);
  }
  return { opType, domain: domain === 'ai.onnx' ? '' : domain, name, inputs, outputs, attributes, unknown };
}

function parseAttribute(bytes: Uint8Array, directory: string): { name: string; attribute: Attribute } {
  let name = '';
  let type = 0;
  let float = 0;
  let int = 0;
  let string = '';
  let tensor: OnnxTensor | undefined;
  const ints: number[] = [];
  const floats: number[] = [];
  for (const field of readFields(bytes)) {
    if (field.number === schema.ATTRIBUTE.name) name = readText(payload(field));
    else if (field.number === schema.ATTRIBUTE.type) type = integer(field);
    else if (field.number === schema.ATTRIBUTE.float) float = readFloats(field)[0] ?? 0;
    else if (field.number === schema.ATTRIBUTE.int) int = integer(field);
    else if (field.number === schema.ATTRIBUTE.string) string = readText(payload(field));
    else if (field.number === schema.ATTRIBUTE.tensor) tensor = parseTensor(payload(field), directory);
    else if (field.number === schema.ATTRIBUTE.ints) ints.push(...integers(field));
    else if (field.number === schema.ATTRIBUTE.floats) floats.push(...readFloats(field));
  }
  const is = schema.ATTRIBUTE_TYPE;
  if (type === is.float) return { name, attribute: { kind: 'float', value: float } };
  if (type === is.int) return { name, attribute: { kind: 'int', value: int } };
  if (type === is.string) return { name, attribute: { kind: 'string', value: string } };
  if (type === is.ints) return { name, attribute: { kind: 'ints', value: ints } };
  if (type === is.floats) return { name, attribute: { kind: 'floats', value: floats } };
  if (type === is.tensor && tensor !== undefined) return { name, attribute: { kind: 'tensor', value: tensor } };
  return { name, attribute: { kind: 'opaque', encoded: bytes } };
}

function parseValue(bytes: Uint8Array): OnnxValue {
  let name = '';
  let elementType = 0;
  let shape: Dimension[] | undefined;
  for (const field of readFields(bytes)) {
    if (field.number === schema.VALUE_INFO.name) name = readText(payload(field));
    else if (field.number === schema.VALUE_INFO.type) {
      for (const type of readFields(payload(field))) {
        if (type.number !== schema.TYPE.tensor) continue;
        for (const part of readFields(payload(type))) {
          if (part.number === schema.TENSOR_TYPE.elementType) elementType = integer(part);
          else if (part.number === schema.TENSOR_TYPE.shape) shape = parseShape(payload(part));
        }
      }
    }
  }
  return shape === undefined ? { name, elementType } : { name, elementType, shape };
}

function parseShape(bytes: Uint8Array): Dimension[] {
  const dims: Dimension[] = [];
  for (const field of readFields(bytes)) {
    if (field.number !== schema.SHAPE.dim) continue;
    let dim: Dimension;
    for (const part of readFields(payload(field))) {
      if (part.number === schema.DIMENSION.value) dim = integer(part);
      else if (part.number === schema.DIMENSION.symbol) dim = readText(payload(part));
    }
    dims.push(dim);
  }
  return dims;
}

function parseTensor(bytes: Uint8Array, directory: string): OnnxTensor {
  let name = '';
  let elementType = 0;
  const dims: number[] = [];
  let raw: Uint8Array | undefined;
  const typed: WireField[] = [];
  const external = new Map<string, string>();
  let isExternal = false;
  for (const field of readFields(bytes)) {
    if (field.number === schema.TENSOR.name) name = readText(payload(field));
    else if (field.number === schema.TENSOR.dataType) elementType = integer(field);
    else if (field.number === schema.TENSOR.dims) dims.push(...integers(field));
    else if (field.number === schema.TENSOR.rawData) raw = payload(field);
    else if (field.number === schema.TENSOR.dataLocation) isExternal = integer(field) === schema.DATA_LOCATION_EXTERNAL;
    else if (field.number === schema.TENSOR.externalData) readEntry(payload(field), external);
    else typed.push(field);
  }
  const width = ELEMENT_BYTES[elementType];
  if (width === undefined) throw new RangeError(`tensor ${name} has element type ${elementType}, which is not known`);
  const byteLength = elementCount(dims) * width;
  const data: TensorData = isExternal
    ? locateExternal(external, directory, byteLength)
    : { kind: 'memory', bytes: raw ?? typedData(typed, elementType, width) };
  const tensor: OnnxTensor = { name, elementType, dims, data };
  if (tensorByteLength(tensor) !== byteLength) {
    throw new RangeError(`tensor ${name} should hold ${byteLength} bytes and holds ${tensorByteLength(tensor)}`);
  }
  return tensor;
}

function readEntry(bytes: Uint8Array, into: Map<string, string>): void {
  let key = '';
  let value = '';
  for (const field of readFields(bytes)) {
    if (field.number === schema.ENTRY.key) key = readText(payload(field));
    else if (field.number === schema.ENTRY.value) value = readText(payload(field));
  }
  into.set(key, value);
}

/** A model's folder is the bound: a graph from elsewhere must not make the gateway read other files. */
function locateExternal(entries: ReadonlyMap<string, string>, directory: string, byteLength: number): TensorData {
  const location = entries.get('location') ?? '';
  const path = resolve(directory, location);
  const inside = relative(directory, path);
  if (location === '' || inside.startsWith('..') || isAbsolute(inside)) {
    throw new ModelError('broken-file', directory, `external data "${location}" lies outside of the model's folder`);
  }
  const offset = Number(entries.get('offset') ?? '0');
  const length = Number(entries.get('length') ?? String(byteLength));
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== byteLength) {
    throw new ModelError('broken-file', path, `external data at ${offset}, ${length} bytes, where ${byteLength} fit`);
  }
  return { kind: 'file', path, offset, byteLength };
}

/** The `*_data` fields that small tensors use instead of raw bytes, turned into raw bytes. */
function typedData(fields: readonly WireField[], elementType: number, width: number): Uint8Array {
  const views: Uint8Array[] = [];
  for (const field of fields) {
    if (field.number === schema.TENSOR.floatData || field.number === schema.TENSOR.doubleData) {
      views.push(payload(field));
    } else if (
      field.number === schema.TENSOR.int32Data ||
      field.number === schema.TENSOR.int64Data ||
      field.number === schema.TENSOR.uint64Data
    ) {
      const values = field.wireType === WIRE_VARINT ? [field.value] : readPackedVarints(payload(field));
      const bytes = new Uint8Array(values.length * width);
      for (const [index, value] of values.entries()) {
        for (let byte = 0; byte < width; byte += 1) {
          bytes[index * width + byte] = Number((value >> BigInt(8 * byte)) & 0xffn);
        }
      }
      views.push(bytes);
    }
  }
  if (views.length === 1 && views[0] !== undefined) return views[0];
  if (elementType === ELEMENT_TYPE.float32 || views.length > 0) return new Uint8Array(Buffer.concat(views));
  return new Uint8Array(0);
}

function payload(field: WireField): Uint8Array {
  if (field.wireType === WIRE_VARINT)
    throw new RangeError(`field ${field.number} should hold bytes and holds a number`);
  return field.bytes;
}

function integer(field: WireField): number {
  if (field.wireType !== WIRE_VARINT) throw new RangeError(`field ${field.number} should hold a number`);
  return Number(BigInt.asIntN(64, field.value));
}

function integers(field: WireField): number[] {
  if (field.wireType === WIRE_VARINT) return [integer(field)];
  return readPackedVarints(payload(field)).map((value) => Number(BigInt.asIntN(64, value)));
}

function readFloats(field: WireField): number[] {
  if (field.wireType !== WIRE_FIXED32 && field.wireType !== WIRE_BYTES) {
    throw new RangeError(`field ${field.number} should hold floats`);
  }
  const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, field.bytes.byteLength);
  return Array.from({ length: field.bytes.byteLength >> 2 }, (_, index) => view.getFloat32(4 * index, true));
}
