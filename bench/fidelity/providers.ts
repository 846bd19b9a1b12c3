/** How far two execution providers' pictures of one latent differ: the histogram of differences, sample by sample. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeContainer, readLatentFile } from '../../codec/index.js';
import { NEVER } from '../../src/conversion/testing/started-converter.js';
import { ByteSemaphore, createDecodePipeline, type LocalProvider } from '../../src/decode/index.js';
import { loadModels } from '../../src/models/load-models.js';
import { packagePath } from '../../src/package-root.js';
import type { BenchRow } from '../row.js';

/** Each against the CPU with one thread; the first says what the number of threads alone changes. */
const OTHERS: readonly { readonly provider: LocalProvider; readonly threads: number }[] = [
  { provider: 'cpu', threads: 2 },
  { provider: 'webgpu', threads: 1 },
  { provider: 'cuda', threads: 1 },
];
/** Cells of the sample's corner: a software GPU takes seconds for more. */
const CELLS = 12;

export async function* benchProviders(): AsyncIterable<BenchRow> {
  const cache = await mkdtemp(join(tmpdir(), 'latentbox-providers-'));
  try {
    const reference = await render(cache, 'cpu', 1);
    if (reference === undefined) throw new Error('the CPU does not run the bundled model');
    for (const { provider, threads } of OTHERS) {
      const other = await render(cache, provider, threads);
      if (other === undefined) {
        process.stderr.write(`providers: ${provider} does not run here\n`);
        continue;
      }
      const differences = reference.map((value, i) => Math.abs(value - (other[i] ?? 0)));
      const share = (least: number, most: number): number =>
        differences.filter((value) => value >= least && value <= most).length / differences.length;
      for (const [label, least, most] of [
        ['equal', 0, 0],
        ['one level apart', 1, 1],
        ['two or more apart', 2, 255],
      ] as const) {
        const ours = share(least, most);
        const versus = `cpu, 1 thread; ${reference.length} samples`;
        const name = `${provider}, ${threads} threads: share of samples ${label}`;
        yield {
          bench: 'providers',
          case: name,
          ours,
          peer: least === 0 ? 1 : 0,
          unit: 'share',
          ratio: share(0, 0),
          versus,
        };
      }
    }
  } finally {
    await rm(cache, { recursive: true });
  }
}

/** Undefined where the provider does not run the model. */
async function render(
  cacheDirectory: string,
  provider: LocalProvider,
  threads: number,
): Promise<Uint8Array | undefined> {
  const models = await loadModels({ directories: [packagePath('models/bundled')], cacheDirectory });
  const memory = new ByteSemaphore({ capacity: 1 << 28, maxWaiting: 8 });
  const options = { models, providers: [provider], threads, codecWorkers: 1, queueDepth: 8, memory };
  const pipeline = createDecodePipeline(options);
  try {
    await pipeline.start();
    if (pipeline.placements()[0]?.decoderClass === undefined) return undefined;
    const { tensor, scaled, pngChunks } = readLatentFile(await readFile(packagePath('samples/cat.npy')));
    const corner = cut(tensor.data, tensor.shape);
    const container = encodeContainer({
      model: models[0]?.name ?? '',
      tensor: { dtype: tensor.dtype, shape: [tensor.shape.at(-3) ?? 0, CELLS, CELLS], data: corner },
      width: CELLS * 8,
      height: CELLS * 8,
      scaled,
      origin: { kind: 'supplied' },
      pngChunks,
    });
    return (await pipeline.renderPixels({ model: models[0]?.name ?? '', container }, NEVER)).pixels;
  } finally {
    await pipeline.close();
  }
}

/** The upper left cells of every channel. */
function cut(data: Uint8Array, shape: readonly number[]): Uint8Array {
  const [channels = 0, rows = 0, columns = 0] = shape.slice(-3);
  const bytes = data.byteLength / (channels * rows * columns);
  const lines: Uint8Array[] = [];
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < CELLS; y++) {
      const start = (channel * rows + y) * columns * bytes;
      lines.push(data.subarray(start, start + CELLS * bytes));
    }
  }
  return Buffer.concat(lines);
}
