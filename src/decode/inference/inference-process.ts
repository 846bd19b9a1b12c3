/**
 * Entry of an inference process: one device's sessions, kept out of the gateway's process, so that a crash inside the
 * runtime or a driver costs one decode and not the server. Its own thread only moves bytes between the pipe (file
 * descriptor 3) and the inference thread, so that the next job is there when the running one ends.
 */
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { FrameReader, writeFrame } from './frames.js';
import type { Packet, Reply, Request } from './protocol.js';
import { requestSchema } from './protocol.js';

const PIPE_DESCRIPTOR = 3;

const pipe = new Socket({ fd: PIPE_DESCRIPTOR, readable: true, writable: true });
const thread = new Worker(new URL('./inference-thread.js', import.meta.url));
const waiting: Packet<Request>[] = [];
let busy = false;

/** The process ends at once, without unwinding a thread that may be inside a run. */
function stop(): void {
  process.kill(process.pid, 'SIGKILL');
}

function next(): void {
  const packet = busy ? undefined : waiting.shift();
  if (packet === undefined) return;
  busy = true;
  thread.postMessage(
    packet,
    packet.buffers.map((bytes) => bytes.buffer),
  );
}

function reply({ header, buffers }: Packet<Reply>): void {
  writeFrame(pipe, header, buffers);
}

const reader = new FrameReader((frame) => {
  const header = requestSchema.parse(frame.header);
  if (header.op === 'cancel') {
    const index = waiting.findIndex((packet) => packet.header.id === header.id);
    if (index < 0) return;
    waiting.splice(index, 1);
    reply({ header: { kind: 'cancelled', id: header.id }, buffers: [] });
    return;
  }
  waiting.push({ header, buffers: frame.buffers });
  next();
});

thread.on('message', (packet: Packet<Reply>) => {
  busy = false;
  next();
  reply(packet);
});
thread.on('error', (error) => {
  process.stderr.write(`inference thread: ${error.message}\n`, stop);
});
pipe.on('data', (chunk: Buffer) => {
  reader.push(chunk);
});
// The gateway closed its end, or died: nobody is left to answer.
pipe.on('close', stop);
pipe.on('error', stop);
