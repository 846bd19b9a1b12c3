/** How busy the device is while decodes queue, with its timeline; the peer is a client that sends one after the other. */
import type { BenchRow } from '../row.js';
import { benchContainer, benchModel, benchPipeline, NEVER } from './bench-model.js';

const QUEUED = 24;
const SIDE = 512;
const TIMELINE_COLUMNS = 80;
const SHADES = ' .:-=+*#';

interface Run {
  readonly startedAt: number;
  readonly ms: number;
}

/** Share of the time from the first run's start to the last one's end in which a run went on. */
function busyShare(runs: readonly Run[]): { share: number; from: number; to: number } {
  const from = Math.min(...runs.map((run) => run.startedAt));
  const to = Math.max(...runs.map((run) => run.startedAt + run.ms));
  return { share: runs.reduce((sum, run) => sum + run.ms, 0) / (to - from), from, to };
}

/** One character per slice of time, darker where more of the slice was spent in a run. */
function timeline(runs: readonly Run[]): string {
  const { from, to } = busyShare(runs);
  const slice = (to - from) / TIMELINE_COLUMNS;
  return Array.from({ length: TIMELINE_COLUMNS }, (_, column) => {
    const [start, end] = [from + column * slice, from + (column + 1) * slice];
    const busy = runs.reduce(
      (sum, run) => sum + Math.max(0, Math.min(end, run.startedAt + run.ms) - Math.max(start, run.startedAt)),
      0,
    );
    return SHADES[Math.min(SHADES.length - 1, Math.floor((busy / slice) * SHADES.length))] ?? ' ';
  }).join('');
}

export async function* benchDeviceBusy(): AsyncIterable<BenchRow> {
  const { model, close } = await benchModel();
  let runs: Run[] = [];
  const pipeline = await benchPipeline(model, {
    observer: { onRun: (_device, _model, startedAt, ms) => void runs.push({ startedAt, ms }) },
  });
  try {
    const request = { model: model.name, container: benchContainer(model, SIDE, SIDE) };
    runs = [];
    for (let i = 0; i < QUEUED; i++) await pipeline.render(request, NEVER);
    const alone = busyShare(runs);
    process.stderr.write(`one at a time  |${timeline(runs)}|\n`);
    runs = [];
    await Promise.all(Array.from({ length: QUEUED }, () => pipeline.render(request, NEVER)));
    const queued = busyShare(runs);
    process.stderr.write(`${QUEUED} queued      |${timeline(runs)}|\n`);
    yield {
      bench: 'decode',
      case: `device busy while ${QUEUED} decodes of ${SIDE}x${SIDE} queue`,
      ours: 100 * queued.share,
      peer: 100 * alone.share,
      unit: '%',
      ratio: queued.share / alone.share,
      versus: 'one decode at a time',
    };
  } finally {
    await pipeline.close();
    await close();
  }
}
