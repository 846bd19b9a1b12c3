/** Writes an OnnxModel: small tensors in the file, large ones beside it where the caller asks for that. */
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Attribute, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './model.js';
import { tensorByteLength } from './model.js';
import * as schema from './schema.js';
import { WireWriter } from './wire.js';

/** Larger tensors go to the external file; shapes and scalars stay, since shape inference reads them. */
const EXTERNAL_MIN_BYTES = 1024;
/** External tensors start at page boundaries, so that the runtime can map them (ONNX IR, "External data"). */
const EXTERNAL_ALIGNMENT = 4096;
/** Pieces in one vectored write; Linux takes at most 1,024 (IOV_MAX). */
const MAX_VECTORS = 1000;
const PRODUCER = 'latentbox';

/** Where large tensors went, so that a second graph over the same weights can point to the same file. */
export class ExternalWeights {
  readonly #offsets = new Map<string, { offset: number; byteLength: number }>();
  #end = 0;
  #opened = false;
  /** @param path the file, in the folder of every graph that uses it. */
  constructor(readonly path: string) {}

  placement(tensor: OnnxTensor): { offset: number; byteLength: number } | undefined {
    return this.#offsets.get(tensor.name);
  }

  /** Appends those tensors that are not there yet. A name stands for one content over the file's life. */
  async append(tensors: readonly OnnxTensor[]): Promise<void> {
    const file = await open(this.path, this.#opened ? 'r+' : 'w');
    this.#opened = true;
    try {
      for (const tensor of tensors) {
        if (this.#offsets.has(tensor.name)) continue;
        const offset = Math.ceil(this.#end / EXTERNAL_ALIGNMENT) * EXTERNAL_ALIGNMENT;
        const bytes = await tensorBytes(tensor);
        await writeAll(file, [bytes], offset);
        this.#offsets.set(tensor.name, { offset, byteLength: bytes.length });
        this.#end = offset + bytes.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** A tensor's bytes: the very view where they are in memory, else read from its file. */
export async function tensorBytes(tensor: OnnxTensor): Promise<Uint8Array> {
  const { data } = tensor;
  if (data.kind === 'memory') return data.bytes;
  const file = await open(data.path, 'r');
  try {
    const bytes = new Uint8Array(data.byteLength);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, data.offset + done);
      if (bytesRead === 0) throw new RangeError(`${data.path} ends before tensor ${tensor.name} does`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/**
 * Writes `model` to `path` (not atomically: write into a temporary folder and rename that).
 * @param weights takes the tensors of a kilobyte and more; absent: everything lies in the one file, 2 GB at most.
 */
export async function writeOnnxModel(path: string, model: OnnxModel, weights?: ExternalWeights): Promise<void> {
  if (weights !== undefined) {
    if (dirname(weights.path) !== dirname(path)) throw new RangeError('external weights must lie beside their graph');
    await weights.append(model.graph.initializers.filter((tensor) => tensorByteLength(tensor) >= EXTERNAL_MIN_BYTES));
  }
  const pieces = await serializeModel(model, weights);
  const file = await open(path, 'w');
  try {
    await writeAll(file, pieces, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The model's bytes as consecutive pieces; weights in memory are referenced, not copied. */
export async function serializeModel(model: OnnxModel, weights?: ExternalWeights): Promise<readonly Uint8Array[]> {
  const tensors = new Map<OnnxTensor, Uint8Array>();
  for (const tensor of model.graph.initializers) {
    if (weights?.placement(tensor) === undefined) tensors.set(tensor, await tensorBytes(tensor));
  }
  const { graph } = model;
  const writer = new WireWriter();
  writer.varint(schema.MODEL.irVersion, model.irVersion);
  for (const [domain, version] of model.opsets) {
    writer.message(schema.MODEL.opsetImport, (opset) => {
      opset.text(schema.OPSET.domain, domain).varint(schema.OPSET.version, version);
    });
  }
  writer.raw(model.unknown ?? [new WireWriter().text(schema.MODEL.producerName, PRODUCER).finish()].flat());
  writer.message(schema.MODEL.graph, (body) => {
    body.text(schema.GRAPH.name, graph.name);
    for (const node of graph.nodes) body.message(schema.GRAPH.node, (message) => writeNode(message, node));
    for (const tensor of graph.initializers) {
      body.message(schema.GRAPH.initializer, (message) => writeTensor(message, tensor, tensors.get(tensor), weights));
    }
    for (const value of graph.inputs) body.message(schema.GRAPH.input, (message) => writeValue(message, value));
    for (const value of graph.outputs) body.message(schema.GRAPH.output, (message) => writeValue(message, value));
    body.raw(graph.unknown ?? []);
  });
  return writer.finish();
}

function writeNode(writer: WireWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.text(schema.NODE.input, input);
  for (const output of node.outputs) writer.text(schema.NODE.output, output);
  writer.text(schema.NODE.name, node.name).text(schema.NODE.opType, node.opType);
  if (node.domain !== '') writer.text(schema.NODE.domain, node.domain);
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'opaque') writer.bytes(schema.NODE.attribute, attribute.encoded);
    else writer.message(schema.NODE.attribute, (message) => writeAttribute(message, name, attribute));
  }
  writer.raw(node.unknown ?? []);
}

function writeAttribute(writer: WireWriter, name: string, attribute: Exclude<Attribute, { kind: 'opaque' }>): void {
  writer.text(schema.ATTRIBUTE.name, name).varint(schema.ATTRIBUTE.type, schema.ATTRIBUTE_TYPE[attribute.kind]);
  switch (attribute.kind) {
    case 'float':
      writer.float(schema.ATTRIBUTE.float, attribute.value);
      return;
    case 'int':
      writer.varint(schema.ATTRIBUTE.int, attribute.value);
      return;
    case 'string':
      writer.text(schema.ATTRIBUTE.string, attribute.value);
      return;
    case 'ints':
      for (const value of attribute.value) writer.varint(schema.ATTRIBUTE.ints, value);
      return;
    case 'floats':
      for (const value of attribute.value) writer.float(schema.ATTRIBUTE.floats, value);
      return;
    case 'tensor': {
      const { data } = attribute.value;
      if (data.kind !== 'memory') throw new RangeError(`attribute ${name} keeps its tensor in another file`);
      writer.message(schema.ATTRIBUTE.tensor, (message) =>
        writeTensor(message, attribute.value, data.bytes, undefined),
      );
    }
  }
}

function writeTensor(
  writer: WireWriter,
  tensor: OnnxTensor,
  bytes: Uint8Array | undefined,
  weights: ExternalWeights | undefined,
): void {
  for (const dim of tensor.dims) writer.varint(schema.TENSOR.dims, dim);
  writer.varint(schema.TENSOR.dataType, tensor.elementType).text(schema.TENSOR.name, tensor.name);
  if (bytes !== undefined) {
    writer.bytes(schema.TENSOR.rawData, bytes);
    return;
  }
  const place = weights?.placement(tensor);
  if (weights === undefined || place === undefined) throw new RangeError(`tensor ${tensor.name} was not placed`);
  const entries = [
    ['location', basename(weights.path)],
    ['offset', String(place.offset)],
    ['length', String(place.byteLength)],
  ] as const;
  for (const [key, value] of entries) {
    writer.message(schema.TENSOR.externalData, (entry) => {
      entry.text(schema.ENTRY.key, key).text(schema.ENTRY.value, value);
    });
  }
  writer.varint(schema.TENSOR.dataLocation, schema.DATA_LOCATION_EXTERNAL);
}

function writeValue(writer: WireWriter, value: OnnxValue): void {
  writer.text(schema.VALUE_INFO.name, value.name).message(schema.VALUE_INFO.type, (type) => {
    type.message(schema.TYPE.tensor, (tensor) => {
      tensor.varint(schema.TENSOR_TYPE.elementType, value.elementType);
      if (value.shape === undefined) return;
      const { shape } = value;
      tensor.message(schema.TENSOR_TYPE.shape, (dims) => {
        for (const dim of shape) {
          dims.message(schema.SHAPE.dim, (message) => {
            if (typeof dim === 'number') message.varint(schema.DIMENSION.value, dim);
            else if (dim !== undefined) message.text(schema.DIMENSION.symbol, dim);
          });
        }
      });
    });
  });
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let at = position;
  for (let first = 0; first < pieces.length; first += MAX_VECTORS) {
    let rest = pieces.slice(first, first + MAX_VECTORS);
    while (rest.length > 0) {
      const { bytesWritten } = await file.writev(rest, at);
      at += bytesWritten;
      let written = bytesWritten;
      while (rest[0] !== undefined && written >= rest[0].length) {
        written -= rest[0].length;
        rest = rest.slice(1);
      }
      if (rest[0] !== undefined && written > 0) rest = [rest[0].subarray(written), ...rest.slice(1)];
    }
  }
}
