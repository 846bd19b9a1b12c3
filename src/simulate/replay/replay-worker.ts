/** A worker thread of the simulator: takes one simulation after the other over the same shared trace. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Simulation } from './configuration.js';
import { replay, type Replay, type ReplayOptions } from './replay.js';
import type { StoredTrace } from './stored-trace.js';

export interface ReplayWorkerData {
  readonly trace: StoredTrace;
  readonly options: Omit<ReplayOptions, 'onProgress'>;
}

export type ReplayMessage =
  { readonly kind: 'progress'; readonly requests: number } | { readonly kind: 'done'; readonly replay: Replay };

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const { trace, options } = workerData as ReplayWorkerData;
const send = (message: ReplayMessage): void => port.postMessage(message);

port.on('message', (simulation: Simulation) => {
  const onProgress = (requests: number): void => send({ kind: 'progress', requests });
  send({ kind: 'done', replay: replay(trace, simulation, { ...options, onProgress }) });
});
