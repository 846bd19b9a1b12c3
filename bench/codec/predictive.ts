/** The predictive codec against the best that pcodec does, both in WebAssembly: size of each kind of latent, and speed. */
import {
  pcodecCompress,
  pcodecCompressPlanes,
  pcodecDecompress,
  predictiveCompress,
  predictiveDecompress,
  type Tensor,
} from '../../codec/index.js';
import type { BenchRow } from '../row.js';
import { evaluationLatents, type EvaluationLatent } from './evaluation-latents.js';

const TURNS = 25;
const BYTES_PER_MEGABYTE = 1e6;
const NUMBER_TYPES = { f16: 'f16', bf16: 'u16', f32: 'f32' } as const;

interface Total {
  ours: number;
  peer: number;
  count: number;
  largest: EvaluationLatent;
}

/**
 * Rows per kind and type: bytes of all its latents, and MB of tensor per second of its largest. Seconds are the processor's,
 * since the row is about one core and neither codec waits for anything.
 */
export async function* benchPredictive(): AsyncGenerator<BenchRow, void, undefined> {
  const totals = new Map<string, Total>();
  for await (const latent of evaluationLatents()) {
    const label = `${latent.kind} ${latent.tensor.dtype}`;
    const total = totals.get(label) ?? { ours: 0, peer: 0, count: 0, largest: latent };
    total.ours += predictive(latent.tensor).byteLength;
    total.peer += smallestPcodec(latent.tensor);
    total.count++;
    if (latent.tensor.data.byteLength > total.largest.tensor.data.byteLength) total.largest = latent;
    totals.set(label, total);
  }
  for (const [label, { ours, peer, count, largest }] of totals) {
    yield {
      bench: 'codec',
      case: `second codec size, ${label}, ${count} latents`,
      ours,
      peer,
      unit: 'bytes',
      ratio: peer / ours,
      versus: 'the smallest of four pcodec settings for each latent',
    };
    yield* speeds(label, largest.tensor);
  }
}

function* speeds(label: string, tensor: Tensor): Generator<BenchRow, void, undefined> {
  const ours = predictive(tensor);
  const theirs = planes(tensor, 8);
  const what = `${label}, ${tensor.shape.join('x')}`;
  const pairs = [
    [
      'decompress',
      () => predictiveDecompress(ours, tensor.dtype, tensor.shape),
      () => pcodecDecompress(theirs, 1 << 26),
    ],
    ['compress', () => predictive(tensor), () => planes(tensor, 8)],
  ] as const;
  for (const [name, run, peerRun] of pairs) {
    const least = { ours: Infinity, peer: Infinity };
    for (let turn = 0; turn < TURNS; turn++) {
      least.ours = Math.min(least.ours, milliseconds(run));
      least.peer = Math.min(least.peer, milliseconds(peerRun));
    }
    const speed = (ms: number): number => tensor.data.byteLength / BYTES_PER_MEGABYTE / (ms / 1000);
    yield {
      bench: 'codec',
      case: `second codec ${name}, ${what}`,
      ours: speed(least.ours),
      peer: speed(least.peer),
      unit: 'MB/s',
      ratio: least.peer / least.ours,
      versus: 'our pcodec at level 8',
    };
  }
}

function predictive(tensor: Tensor): Uint8Array {
  const stream = predictiveCompress(tensor);
  if (stream === undefined) throw new Error('an evaluation latent is none for the predictive codec');
  return stream;
}

/** What our writer does and the same at level 12, and pcodec's own automatic choices at both levels. */
function smallestPcodec(tensor: Tensor): number {
  const type = NUMBER_TYPES[tensor.dtype];
  const files = [8, 12].flatMap((level) => [planes(tensor, level), pcodecCompress(tensor.data, type, { level })]);
  return Math.min(...files.map(({ byteLength }) => byteLength));
}

function planes({ dtype, shape, data }: Tensor, level: number): Uint8Array {
  const [, rows = 1, columns = 1] = shape;
  return pcodecCompressPlanes(data, NUMBER_TYPES[dtype], rows * columns, { level });
}

function milliseconds(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
