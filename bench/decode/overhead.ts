/** What a decode costs outside of inference and PNG, and what it costs the event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchRow } from '../row.js';
import { benchContainer, benchModel, benchPipeline, median, NEVER } from './bench-model.js';

const SIDE = 1024;
const DECODES = 15;
const BUDGET_MS = 3;
const NANOSECONDS_PER_MS = 1e6;

async function loopDelay(work: () => Promise<unknown>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return histogram.percentile(99) / NANOSECONDS_PER_MS;
}

export async function* benchOverhead(): AsyncIterable<BenchRow> {
  const { model, close } = await benchModel();
  const pipeline = await benchPipeline(model);
  try {
    const request = { model: model.name, container: benchContainer(model, SIDE, SIDE) };
    await pipeline.render(request, NEVER);
    const overheads: number[] = [];
    const idle = await loopDelay(() => delay(2_000));
    const decoding = await loopDelay(async () => {
      for (let i = 0; i < DECODES; i++) {
        const started = performance.now();
        const { timings } = await pipeline.render(request, NEVER);
        overheads.push(performance.now() - started - timings.decode - timings.png);
      }
    });
    const overhead = median(overheads);
    yield {
      bench: 'decode',
      case: `a ${SIDE}x${SIDE} decode outside of inference and PNG (decompress, transfers, queues)`,
      ours: overhead,
      peer: BUDGET_MS,
      unit: 'ms',
      ratio: BUDGET_MS / overhead,
      versus: 'the budget',
    };
    yield {
      bench: 'decode',
      case: `event loop delay, 99th percentile, while ${SIDE}x${SIDE} decodes run`,
      ours: decoding,
      peer: idle,
      unit: 'ms',
      ratio: idle / decoding,
      versus: 'an idle loop',
    };
  } finally {
    await pipeline.close();
    await close();
  }
}
