/** Runs simulations over one trace on all cores: one worker thread a core, one simulation at a time each. */
import { Worker } from 'node:worker_threads';
import type { Simulation } from './configuration.js';
import type { Replay } from './replay.js';
import type { ReplayMessage, ReplayWorkerData } from './replay-worker.js';

export interface RunOptions extends ReplayWorkerData {
  /** Worker threads; at least 1. */
  readonly jobs: number;
  /** Told of the requests replayed since the last call, over all simulations. */
  readonly onProgress: (requests: number) => void;
}

/** @returns the replays in the order of the simulations */
export async function runSimulations(
  simulations: readonly Simulation[],
  { trace, options, jobs, onProgress }: RunOptions,
): Promise<Replay[]> {
  const results: Replay[] = [];
  const pending = simulations.entries();
  const workerData: ReplayWorkerData = { trace, options };
  const work = async (): Promise<void> => {
    const worker = new Worker(workerEntry(), { workerData });
    try {
      for (const [i, simulation] of pending) results[i] = await replayIn(worker, simulation, onProgress);
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, simulations.length) }, work));
  return results;
}

/** Tests run from the sources, the worker from what was built. */
function workerEntry(): URL {
  const here = import.meta.url;
  return here.endsWith('.js')
    ? new URL('./replay-worker.js', here)
    : new URL('../../../dist/src/simulate/replay/replay-worker.js', here);
}

function replayIn(worker: Worker, simulation: Simulation, onProgress: (requests: number) => void): Promise<Replay> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
    };
    const onMessage = (message: ReplayMessage): void => {
      if (message.kind === 'progress') {
        onProgress(message.requests);
        return;
      }
      settle();
      resolve(message.replay);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(simulation);
  });
}
