/** What encoding costs by stage, against decodes of the same picture on the same core. */
import { DEFAULT_OPTIONS, NEVER, startConverter } from '../../src/conversion/testing/started-converter.js';
import type { BenchRow } from '../row.js';
import { pictureSets } from './pictures.js';

const STEPS = 20;
const DECODES = 5;
const MS_PER_SECOND = 1000;

export async function* benchStages(): AsyncIterable<BenchRow> {
  const started = await startConverter([], { threads: 1 });
  try {
    const [set] = await pictureSets(started);
    const [picture] = set?.pictures ?? [];
    if (!picture) throw new Error('no picture');
    const options = { ...DEFAULT_OPTIONS, models: ['bundled'] };
    await started.converter.convert(picture.png, { ...options, refineSteps: 1 }, NEVER);
    const plain = await started.converter.convert(picture.png, { ...options, refineSteps: 0 }, NEVER);
    const start = performance.now();
    const stepped = await started.converter.convert(picture.png, { ...options, refineSteps: STEPS }, NEVER);
    const total = performance.now() - start;
    if (plain.kind !== 'latent' || stepped.kind !== 'latent') throw new Error('the picture was not converted');
    const decodes: number[] = [];
    for (let i = 0; i < DECODES; i++) {
      const { model } = stepped.measured;
      const { timings } = await started.pipeline.renderPixels({ model, container: stepped.container }, NEVER);
      decodes.push(timings.decode);
    }
    const decode = Math.min(...decodes);
    const megapixels = (picture.width * picture.height) / 1e6;
    const versus = `one decode, ${picture.width}x${picture.height}, one thread`;
    const row = (name: string, ms: number): BenchRow => ({
      bench: 'encode-stages',
      case: name,
      ours: ms,
      peer: decode,
      unit: 'ms',
      ratio: decode / ms,
      versus,
    });
    const perStep = (stepped.timings.refine - plain.timings.refine) / STEPS;
    yield row('one gradient step', perStep);
    yield row('encoding and steps without gradients', plain.timings.refine);
    for (const stage of ['read', 'compress', 'verify', 'png'] as const) yield row(stage, stepped.timings[stage]);
    const rate = megapixels / (total / MS_PER_SECOND);
    const peer = megapixels / (decode / MS_PER_SECOND);
    const name = `throughput of one core with ${STEPS} steps`;
    yield { bench: 'encode-stages', case: name, ours: rate, peer, unit: 'megapixels/s', ratio: rate / peer, versus };
  } finally {
    await started.close();
  }
}
