/** Entry of a codec worker thread: one task at a time, results by transfer. */
import { parentPort } from 'node:worker_threads';
import { CodecError } from '../../codec/index.js';
import type { CodecFault, CodecReply, CodecTask } from './codec-tasks.js';
import { runCodecTask } from './codec-tasks.js';

if (parentPort === null) throw new Error('codec-worker is the entry of a worker thread');
const port = parentPort;

function faultOf(error: unknown): CodecFault {
  if (error instanceof CodecError)
    return { name: 'CodecError', format: error.format, field: error.field, message: error.message };
  return { name: 'Error', message: error instanceof Error ? error.message : String(error) };
}

/** The buffers that the views alone own; a view of something larger (WebAssembly memory) is cloned instead. */
function wholeBuffers(views: readonly Uint8Array[]): ArrayBuffer[] {
  const whole = views.filter(
    (view) => view.byteLength === view.buffer.byteLength && view.buffer instanceof ArrayBuffer,
  );
  return [...new Set(whole.map((view) => view.buffer as ArrayBuffer))];
}

port.on('message', (task: CodecTask) => {
  const started = performance.now();
  try {
    const value = runCodecTask(task);
    const spent = task.kind === 'png' ? wholeBuffers(task.tiles) : [];
    const reply: CodecReply = { ok: true, ms: performance.now() - started, value, spent };
    port.postMessage(reply, [...wholeBuffers(value instanceof Uint8Array ? [value] : value.tiles), ...spent]);
  } catch (error) {
    const reply: CodecReply = { ok: false, fault: faultOf(error) };
    port.postMessage(reply);
  }
});
