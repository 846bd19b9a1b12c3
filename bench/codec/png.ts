/** The PNG writer against sharp (libpng and zlib, one thread each), and two workers against one. */
import sharp from 'sharp';
import type { PngLayout } from '../../codec/index.js';
import { encodePng } from '../../codec/index.js';
import type { BenchRow } from '../row.js';
import { geometricMean, leastMillisecondsInTurn } from '../row.js';
import type { Picture } from './png-pictures.js';
import { pictures } from './png-pictures.js';
import { encodeOnWorkers, PngWorkers } from './png-workers.js';

const SETTINGS = { compressionLevel: 6, adaptiveFiltering: true };
const VERSUS = 'sharp level 6, adaptive filters';
const RUNS = 7;
const WORKER_RUNS = 100;
const LARGE_SIDE = 2048;

/** Rows for each picture, then the geometric mean of each kind, then the workers. */
export async function* benchPng(): AsyncGenerator<BenchRow, void, undefined> {
  sharp.concurrency(1);
  sharp.cache(false);
  const ratios = new Map<string, { speed: number[]; size: number[] }>();
  let large: Picture | undefined;
  for await (const picture of pictures()) {
    const rows = await compare(picture);
    yield* rows;
    const kind = ratios.get(picture.kind) ?? { speed: [], size: [] };
    ratios.set(picture.kind, kind);
    kind.speed.push(rows[0].ratio);
    kind.size.push(rows[1].ratio);
    if (picture.kind === 'generated') large = picture;
  }
  for (const [kind, { speed, size }] of ratios) {
    yield meanRow(`png speed, ${kind}, geometric mean`, speed);
    yield meanRow(`png size, ${kind}, geometric mean`, size);
  }
  if (large !== undefined) yield* compareWorkers(large);
}

async function compare({ name, kind, pixels, layout }: Picture): Promise<[BenchRow, BenchRow]> {
  const encodeWithSharp = (): Promise<Buffer> => sharp(pixels, { raw: layout }).png(SETTINGS).toBuffer();
  const ourBytes = encodePng(pixels, layout).byteLength;
  const peerBytes = (await encodeWithSharp()).byteLength;
  const { ours, peer } = await leastMillisecondsInTurn(RUNS, () => encodePng(pixels, layout), encodeWithSharp);
  const size = `${layout.width}x${layout.height}x${layout.channels}`;
  const row = (measure: string, unit: string, our: number, their: number): BenchRow => ({
    bench: 'codec',
    case: `png ${measure}, ${kind}, ${name}, ${size}`,
    ours: our,
    peer: their,
    unit,
    ratio: their / our,
    versus: VERSUS,
  });
  return [row('speed', 'ms', ours, peer), row('size', 'bytes', ourBytes, peerBytes)];
}

function meanRow(name: string, ratios: readonly number[]): BenchRow {
  const mean = geometricMean(ratios);
  return { bench: 'codec', case: name, ours: mean, peer: 1, unit: 'times', ratio: mean, versus: VERSUS };
}

/** The same pool with one worker and with two, on a picture of 2048² in shared memory; the bytes must be the same. */
async function* compareWorkers({ pixels, layout }: Picture): AsyncGenerator<BenchRow, void, undefined> {
  const shared = new Uint8Array(new SharedArrayBuffer(LARGE_SIDE * LARGE_SIDE * 3));
  const large: PngLayout = { width: LARGE_SIDE, height: LARGE_SIDE, channels: 3 };
  // Repeated, not enlarged: enlarging would make a smoothness that no decoded picture has.
  tile(pixels, layout, shared);
  const expected = encodePng(shared, large);
  const one = new PngWorkers(1);
  const two = new PngWorkers(2);
  for (const workers of [one, two]) {
    const bytes = await encodeOnWorkers(workers, shared, large);
    if (!Buffer.from(bytes).equals(expected)) throw new Error('the number of workers changed the bytes');
  }
  const { ours, peer } = await leastMillisecondsInTurn(
    WORKER_RUNS,
    () => encodeOnWorkers(two, shared, large),
    () => encodeOnWorkers(one, shared, large),
  );
  await Promise.all([one.close(), two.close()]);
  const name = `png speed, two workers, ${LARGE_SIDE}x${LARGE_SIDE}x3`;
  yield { bench: 'codec', case: name, ours, peer, unit: 'ms', ratio: peer / ours, versus: 'one worker' };
}

function tile(pixels: Uint8Array, { width, height, channels }: PngLayout, target: Uint8Array): void {
  let at = 0;
  for (let y = 0; y < LARGE_SIDE; y++) {
    for (let x = 0; x < LARGE_SIDE; x++) {
      const from = ((y % height) * width + (x % width)) * channels;
      for (let c = 0; c < 3; c++) target[at++] = pixels[from + c] ?? 0;
    }
  }
}
