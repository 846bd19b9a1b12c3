/** Memory over thousands of decodes of mixed shapes: the resident size of both processes must not grow. */
import { readFile } from 'node:fs/promises';
import type { BenchRow } from '../row.js';
import { benchContainer, benchModel, benchPipeline, NEVER } from './bench-model.js';

const DECODES = 2_000;
const PARALLEL = 4;
const SAMPLE_EVERY = 100;
/** The first samples hold caches that fill once. */
const SETTLED_AFTER = 5;
const SIDES = [64, 96, 128, 160, 200, 256, 320];

/** Resident MiB of this process and of the inference processes. */
async function residentMiB(pids: readonly number[]): Promise<number> {
  const sizes = await Promise.all(
    pids.map(async (pid) => Number(/^VmRSS:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])),
  );
  return sizes.reduce((sum, kib) => sum + kib / 1024, 0);
}

export async function* benchMemorySoak(): AsyncIterable<BenchRow> {
  const { model, close } = await benchModel();
  const pipeline = await benchPipeline(model);
  try {
    const containers = SIDES.flatMap((width) => SIDES.map((height) => benchContainer(model, width, height)));
    const samples: number[] = [];
    let begun = 0;
    const worker = async (): Promise<void> => {
      while (begun < DECODES) {
        const turn = begun++;
        const container = containers[(turn * 31) % containers.length];
        if (container !== undefined) await pipeline.render({ model: model.name, container }, NEVER);
        if (turn % SAMPLE_EVERY === 0)
          samples.push(await residentMiB([process.pid, ...pipeline.status().flatMap(({ pid }) => pid ?? [])]));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    process.stderr.write(
      `resident MiB every ${SAMPLE_EVERY} decodes: ${samples.map((sample) => sample.toFixed(0)).join(' ')}\n`,
    );
    const settled = samples.slice(SETTLED_AFTER);
    const half = Math.floor(settled.length / 2);
    const [early, late] = [Math.max(...settled.slice(0, half)), Math.max(...settled.slice(half))];
    yield {
      bench: 'decode-soak',
      case: `resident memory over ${DECODES} decodes of ${containers.length} shapes: largest in the second half`,
      ours: late,
      peer: early,
      unit: 'MiB',
      ratio: early / late,
      versus: 'largest in the first half',
    };
  } finally {
    await pipeline.close();
    await close();
  }
}
