/** Tensors between a session and the outside of an inference process: its frames, and the exchange where there is one. */
import { readSync, writeSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-node';
import { Tensor } from 'onnxruntime-node';
import type { Room } from './exchange.js';
import { tensorPosition } from './exchange.js';
import type { Packet, Reply, Request, TensorHeader } from './protocol.js';
import type { ElementType } from './tensors.js';
import { tensorBytes } from './tensors.js';

/** Where the gateway's side of the process puts the exchange among the process's descriptors. */
const EXCHANGE_DESCRIPTOR = 4;
/** Shapes whose outputs are remembered; beyond them all are forgotten. */
const MAX_KNOWN_SHAPES = 256;

type RunRequest = Extract<Request, { op: 'run' }>;
export type RunReply = Pick<Extract<Reply, { kind: 'result' }>, 'tensors'>;

function asTensor(type: ElementType, dims: readonly number[], bytes: Uint8Array<ArrayBuffer>): Tensor {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (type) {
    case 'float32':
      return new Tensor('float32', new Float32Array(buffer, byteOffset, byteLength / 4), dims);
    // Node 20 has no Float16Array: the runtime takes the bits as 16-bit words.
    case 'float16':
      return new Tensor('float16', new Uint16Array(buffer, byteOffset, byteLength / 2), dims);
    case 'uint8':
      return new Tensor('uint8', bytes, dims);
  }
}

function viewOf(tensor: Tensor): Uint8Array<ArrayBuffer> {
  const { data } = tensor;
  if (Array.isArray(data)) throw new TypeError('the graph gives strings');
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

function headerOf(name: string, tensor: Tensor): TensorHeader {
  const { type } = tensor;
  if (type !== 'float32' && type !== 'float16' && type !== 'uint8')
    throw new TypeError(`the graph's output "${name}" is ${type}`);
  return { name, type, dims: [...tensor.dims] };
}

/** Buffers by name that every job uses again: a new one is faulted in page by page. */
export class Scratch {
  readonly #buffers = new Map<string, ArrayBuffer>();

  take(name: string, bytes: number): Uint8Array<ArrayBuffer> {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined || buffer.byteLength < bytes) {
      buffer = new ArrayBuffer(bytes);
      this.#buffers.set(name, buffer);
    }
    return new Uint8Array(buffer, 0, bytes);
  }

  tensor({ name, type, dims }: TensorHeader): Tensor {
    return asTensor(type, dims, this.take(name, tensorBytes(type, dims)));
  }

  holds(buffer: ArrayBuffer): boolean {
    return [...this.#buffers.values()].includes(buffer);
  }
}

/** For one job at a time: what it hands out is overwritten by the next one. */
export class TensorIo {
  readonly #scratch = new Scratch();
  /** Outputs by session and input dimensions, as the last run gave them. */
  readonly #known = new Map<string, readonly TensorHeader[]>();

  /** The inputs of a run. @throws Error when bytes are missing */
  inputs({ tensors }: RunRequest, parts: readonly Uint8Array<ArrayBuffer>[]): Map<string, Tensor> {
    const inFrame = parts.values();
    return new Map(
      tensors.map(({ name, type, dims, at }) => {
        const bytes = at === undefined ? inFrame.next().value : this.#fetch(name, tensorBytes(type, dims), at);
        if (bytes === undefined) throw new Error(`the bytes of "${name}" are missing`);
        return [name, asTensor(type, dims, bytes)];
      }),
    );
  }

  /** Runs a session; where its outputs are known and fit the exchange, into buffers that are used again. */
  async run(session: InferenceSession, request: RunRequest, feeds: ReadonlyMap<string, Tensor>): Promise<Tensor[]> {
    const key = JSON.stringify([request.session, request.tensors.map(({ dims }) => dims)]);
    const known = this.#known.get(key);
    const reused = known !== undefined && fits(known, request.room);
    const given = Object.fromEntries(feeds);
    const results = reused
      ? await session.run(given, Object.fromEntries(known.map((header) => [header.name, this.#scratch.tensor(header)])))
      : await session.run(given);
    const outputs = session.outputNames.map((name) => {
      const tensor = results[name];
      if (tensor === undefined) throw new Error(`the graph gave no "${name}"`);
      return tensor;
    });
    if (this.#known.size >= MAX_KNOWN_SHAPES) this.#known.clear();
    this.#known.set(
      key,
      session.outputNames.flatMap((name, i) => {
        const tensor = outputs[i];
        return tensor === undefined ? [] : [headerOf(name, tensor)];
      }),
    );
    return outputs;
  }

  /** Puts outputs into the exchange while there is room; the others become parts of the frame. */
  outputs(names: readonly string[], tensors: readonly Tensor[], room: Room | undefined): Packet<RunReply> {
    const buffers: Uint8Array<ArrayBuffer>[] = [];
    let at = room?.at ?? 0;
    const end = at + (room?.bytes ?? 0);
    const headers = tensors.map((tensor, i) => {
      const header = headerOf(names[i] ?? '', tensor);
      const bytes = viewOf(tensor);
      at = tensorPosition(at);
      if (at + bytes.byteLength <= end && isWritten(bytes, at)) {
        const placed = { ...header, at };
        at += bytes.byteLength;
        return placed;
      }
      const own = bytes.byteLength === bytes.buffer.byteLength && !this.#scratch.holds(bytes.buffer);
      buffers.push(own ? bytes : bytes.slice());
      return header;
    });
    return { header: { tensors: headers }, buffers };
  }

  #fetch(name: string, bytes: number, at: number): Uint8Array<ArrayBuffer> {
    const into = this.#scratch.take(`input ${name}`, bytes);
    const got = readSync(EXCHANGE_DESCRIPTOR, into, 0, bytes, at);
    if (got < bytes) throw new Error(`the exchange holds ${got} of the ${bytes} bytes of "${name}"`);
    return into;
  }
}

function fits(tensors: readonly TensorHeader[], room: Room | undefined): boolean {
  if (room === undefined) return false;
  const end = tensors.reduce((at, { type, dims }) => tensorPosition(at) + tensorBytes(type, dims), room.at);
  return end <= room.at + room.bytes;
}

/** False when the machine's shared memory is full. */
function isWritten(bytes: Uint8Array, at: number): boolean {
  try {
    return writeSync(EXCHANGE_DESCRIPTOR, bytes, 0, bytes.byteLength, at) === bytes.byteLength;
  } catch {
    return false;
  }
}
