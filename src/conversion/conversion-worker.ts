/** Entry of a conversion thread: several conversions at a time, each waiting for its graphs most of the time. */
import { parentPort, workerData } from 'node:worker_threads';
import type { GraphRun, RenderedPixels } from '../decode/index.js';
import type { InstalledModel } from '../models/installed-model.js';
import { convertPng, type ConversionEngine } from './convert-png.js';
import type { EngineCall, FromThread, ToThread } from './conversion-messages.js';

if (parentPort === null) throw new Error('conversion-worker is the entry of a worker thread');
const port = parentPort;
const models = new Map((workerData as readonly InstalledModel[]).map((model) => [model.name, model]));
/** The gateway ends what is not wanted any more by refusing the next call. */
const NEVER = new AbortController().signal;

class Refused extends Error {
  constructor(readonly call: number) {
    super('the gateway refused a call');
  }
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
let calls = 0;

function tell(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function ask<Answer extends GraphRun | RenderedPixels>(
  request: (call: number) => EngineCall,
  transfer: readonly ArrayBuffer[],
): Promise<Answer> {
  calls += 1;
  const call = calls;
  return new Promise<Answer>((resolve, reject) => {
    waiting.set(call, { resolve, reject });
    tell({ kind: 'call', request: request(call) }, transfer);
  });
}

function engineOf(job: number): ConversionEngine {
  return {
    models,
    runGraph: (model, graph, inputs) =>
      ask<GraphRun>(
        (call) => ({ job, call, method: 'runGraph', model, graph, inputs }),
        [...new Set(inputs.map(({ data }) => data.buffer))],
      ),
    renderPixels: ({ model, container }) =>
      ask<RenderedPixels>((call) => ({ job, call, method: 'renderPixels', model, container }), []),
  };
}

async function convert({ job, png, options }: Extract<ToThread, { kind: 'convert' }>): Promise<void> {
  try {
    const conversion = await convertPng(png, options, engineOf(job), NEVER);
    tell({ kind: 'converted', job, conversion });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ kind: 'failed', job, message, ...(error instanceof Refused && { call: error.call }) });
  }
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'convert') {
    void convert(message);
    return;
  }
  const { call } = message;
  const caller = waiting.get(call);
  waiting.delete(call);
  if (message.kind === 'answer') caller?.resolve(message.value as never);
  else caller?.reject(new Refused(call));
});
