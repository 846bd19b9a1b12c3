/**
 * The thread that owns the sessions of one device: `session.run` blocks it, so it does nothing else, and it takes one
 * job after the other. Entry of a worker thread inside an inference process.
 */
import { parentPort } from 'node:worker_threads';
import { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import type { LocalProvider, Packet, Reply, Request, TensorHeader } from './protocol.js';

/** Only errors reach stderr: providers warn about every node that they place elsewhere. */
const LOG_ERRORS = 3;

const sessions = new Map<string, InferenceSession>();

function executionProviders(provider: LocalProvider, deviceId: number): InferenceSession.ExecutionProviderConfig[] {
  switch (provider) {
    case 'cpu':
    case 'coreml':
      return [provider];
    case 'webgpu':
      return [{ name: 'webgpu' }];
    case 'cuda':
    case 'dml':
      return [{ name: provider, deviceId }];
    // What TensorRT cannot take falls to CUDA rather than to the CPU.
    case 'tensorrt':
      return [
        { name: 'tensorrt', deviceId },
        { name: 'cuda', deviceId },
      ];
  }
}

/**
 * The arena stays on: without it every run maps and faults its buffers anew, a fifth of its time. It grows to what the
 * largest tile needs and no further, since no picture is decoded above the tile bound; memory patterns, kept per shape,
 * would grow with every shape seen. A thread that spins while it waits would take the cores that write PNGs.
 */
function sessionOptions(provider: LocalProvider, deviceId: number, threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: executionProviders(provider, deviceId),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: LOG_ERRORS,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  };
}

function asTensor(header: TensorHeader, bytes: Uint8Array<ArrayBuffer>): Tensor {
  switch (header.type) {
    case 'float32':
      return new Tensor('float32', new Float32Array(bytes.buffer), header.dims);
    // Node 20 has no Float16Array: the runtime takes the bits as 16-bit words.
    case 'float16':
      return new Tensor('float16', new Uint16Array(bytes.buffer), header.dims);
    case 'uint8':
      return new Tensor('uint8', bytes, header.dims);
  }
}

function bytesOf(tensor: Tensor): Uint8Array<ArrayBuffer> {
  const { data } = tensor;
  if (Array.isArray(data)) throw new TypeError('the graph gives strings');
  const whole = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength;
  const view = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return whole ? view : view.slice();
}

function describe(name: string, tensor: Tensor): TensorHeader {
  const { type } = tensor;
  if (type !== 'float32' && type !== 'float16' && type !== 'uint8')
    throw new TypeError(`the graph's output "${name}" is ${type}`);
  return { name, type, dims: [...tensor.dims] };
}

async function run(
  request: Extract<Request, { op: 'run' }>,
  buffers: readonly Uint8Array<ArrayBuffer>[],
): Promise<Packet<Reply>> {
  const session = sessions.get(request.session);
  if (session === undefined) throw new Error(`no session ${request.session}`);
  const feeds: Record<string, Tensor> = {};
  for (const [i, header] of request.tensors.entries()) {
    const bytes = buffers[i];
    if (bytes === undefined) throw new Error(`the bytes of "${header.name}" are missing`);
    feeds[header.name] = asTensor(header, bytes);
  }
  const started = performance.now();
  const results = await session.run(feeds);
  const ms = performance.now() - started;
  const outputs = session.outputNames.map((name) => {
    const tensor = results[name];
    if (tensor === undefined) throw new Error(`the graph gave no "${name}"`);
    return { header: describe(name, tensor), bytes: bytesOf(tensor) };
  });
  return {
    header: {
      kind: 'result',
      id: request.id,
      startedAt: performance.timeOrigin + started,
      ms,
      tensors: outputs.map((output) => output.header),
    },
    buffers: outputs.map((output) => output.bytes),
  };
}

async function answer({ header: request, buffers }: Packet<Request>): Promise<Packet<Reply>> {
  const { id } = request;
  switch (request.op) {
    case 'hello': {
      const backends = listSupportedBackends().map((backend) => backend.name);
      return {
        header: { kind: 'hello', id, runtimeVersion: env.versions.node ?? env.versions.common, backends },
        buffers: [],
      };
    }
    case 'load': {
      const started = performance.now();
      sessions.set(
        request.session,
        await InferenceSession.create(
          request.path,
          sessionOptions(request.provider, request.deviceId, request.threads),
        ),
      );
      return { header: { kind: 'loaded', id, ms: performance.now() - started }, buffers: [] };
    }
    case 'run':
      return run(request, buffers);
    case 'cancel':
      return { header: { kind: 'cancelled', id }, buffers: [] };
  }
}

if (parentPort === null) throw new Error('inference-thread is the entry of a worker thread');
const port = parentPort;
let previous = Promise.resolve();
port.on('message', (packet: Packet<Request>) => {
  previous = previous.then(async () => {
    let reply: Packet<Reply>;
    try {
      reply = await answer(packet);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      reply = { header: { kind: 'failed', id: packet.header.id, message }, buffers: [] };
    }
    port.postMessage(reply, [...new Set(reply.buffers.map((bytes) => bytes.buffer))]);
  });
});
