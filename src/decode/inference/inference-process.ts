/**
 * Entry of an inference process: one device's sessions, kept out of the gateway's process, so that a crash inside the
 * runtime or a driver costs one decode and not the server. One thread reads the pipe (file descriptor 3) and runs: a run
 * blocks it, but what it must hear meanwhile is small and waits in the pipe, and a job needs no hop between threads.
 */
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { FrameReader, writeFrame } from './frames.js';
import type { Packet, Reply, Request } from './protocol.js';
import { requestSchema } from './protocol.js';
import { answer } from './sessions.js';

const PIPE_DESCRIPTOR = 3;

const pipe = new Socket({ fd: PIPE_DESCRIPTOR, readable: true, writable: true });
const waiting: Packet<Request>[] = [];
let busy = false;

/** The process ends at once: nobody is left to answer. */
function stop(): void {
  process.kill(process.pid, 'SIGKILL');
}

function reply({ header, buffers }: Packet<Reply>): void {
  writeFrame(pipe, header, buffers);
}

async function answered(packet: Packet<Request>): Promise<Packet<Reply>> {
  try {
    return await answer(packet);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { header: { kind: 'failed', id: packet.header.id, message }, buffers: [] };
  }
}

async function next(): Promise<void> {
  const packet = waiting.shift();
  if (packet === undefined) {
    busy = false;
    return;
  }
  reply(await answered(packet));
  // The pipe is read before the next job: a job that was cancelled during this one is not begun.
  setImmediate(() => void next());
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
  if (busy) return;
  busy = true;
  setImmediate(() => void next());
});

pipe.on('data', (chunk: Buffer) => {
  reader.push(chunk);
});
pipe.on('close', stop);
pipe.on('error', stop);
// Inside a run this thread does not hear the pipe close; another one looks after the gateway meanwhile.
new Worker(new URL('./orphan-watch.js', import.meta.url)).unref();
