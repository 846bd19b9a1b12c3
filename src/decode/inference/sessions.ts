/** The sessions of one device, by name, and what is asked of them. */
import { env, InferenceSession, listSupportedBackends } from 'onnxruntime-node';
import type { Packet, Reply, Request } from './protocol.js';
import { sessionOptions } from './session-options.js';
import { TensorIo } from './tensor-io.js';
import { widened } from './widen.js';

const sessions = new Map<string, InferenceSession>();
const io = new TensorIo();

async function run(
  request: Extract<Request, { op: 'run' }>,
  parts: readonly Uint8Array<ArrayBuffer>[],
): Promise<Packet<Reply>> {
  const session = sessions.get(request.session);
  if (session === undefined) throw new Error(`no session ${request.session}`);
  const feeds = widened(session, io.inputs(request, parts));
  const started = performance.now();
  const results = await io.run(session, request, feeds);
  const ms = performance.now() - started;
  const { header, buffers } = io.outputs(session.outputNames, results, request.room);
  const startedAt = performance.timeOrigin + started;
  return { header: { kind: 'result', id: request.id, startedAt, ms, ...header }, buffers };
}

/** Does what a request says. @throws Error what the runtime throws, or what the request lacks */
export async function answer({ header: request, buffers }: Packet<Request>): Promise<Packet<Reply>> {
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
      const options = sessionOptions(request.provider, request.deviceId, request.threads);
      sessions.set(request.session, await InferenceSession.create(request.path, options));
      return { header: { kind: 'loaded', id, ms: performance.now() - started }, buffers: [] };
    }
    case 'run':
      return run(request, buffers);
    case 'cancel':
      return { header: { kind: 'cancelled', id }, buffers: [] };
  }
}
