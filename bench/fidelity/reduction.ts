/** Bytes saved per model and resolution: a model's own picture as a PNG and as its latent, as published tables give them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { encodeContainer } from '../../codec/index.js';
import { toFloat16 } from '../../src/decode/half-floats.js';
import { NEVER, startConverter, type StartedConverter } from '../../src/conversion/testing/started-converter.js';
import { VaeSession } from '../../src/conversion/vae-session.js';
import type { BenchRow } from '../row.js';
import { addTinyModels, hasSharedData, saved, SHARED_PICTURES, square, type BenchPicture } from './pictures.js';
import { packagePath } from '../../src/package-root.js';

const TILING = { maxPixels: 1 << 24, overlap: 16, blend: 8 };
/** Pictures of each family; the bundled model takes a photograph. */
const FAMILIES = {
  taesd3: 'sd3-sd3.5_simple_example.png',
  taef1: 'flux-flux_dev_example.png',
  taef2: 'flux2-flux2_example.png',
  taesdxl: 'sdxl-sdxl_simple_example.png',
} as const;
const SIDES = [256, 512];

export async function* benchReduction(): AsyncIterable<BenchRow> {
  const work = await mkdtemp(join(tmpdir(), 'latentbox-reduction-'));
  const names = hasSharedData ? (Object.keys(FAMILIES) as (keyof typeof FAMILIES)[]) : [];
  const started = await startConverter(names.length > 0 ? [await addTinyModels(work, names)] : []);
  try {
    for (const side of SIDES) {
      yield await reduction(started, 'bundled', await square(packagePath('samples/coffee.png'), 'coffee', side));
      for (const name of names)
        yield await reduction(started, name, await square(join(SHARED_PICTURES, FAMILIES[name]), name, side));
    }
  } finally {
    await started.close();
    await rm(work, { recursive: true });
  }
}

async function reduction(
  { pipeline, models }: StartedConverter,
  name: string,
  source: BenchPicture,
): Promise<BenchRow> {
  const model = models.find((candidate) => candidate.name === name);
  if (!model) throw new Error(`the model ${name} is missing`);
  const session = new VaeSession(pipeline, model, source, NEVER, TILING);
  const latent = await session.encode();
  const { width, height } = source;
  const { png } = await saved(name, await session.decode(latent), width, height);
  const { channels, rows, columns } = session.shape;
  const container = encodeContainer({
    model: name,
    tensor: { dtype: 'f16', shape: [channels, rows, columns], data: new Uint8Array(toFloat16(latent).buffer) },
    width,
    height,
    scaled: true,
    origin: { kind: 'supplied' },
    pngChunks: { beforeIdat: [], afterIdat: [] },
  });
  const { format } = await sharp(png).metadata();
  const saving = (100 * (1 - container.byteLength / png.byteLength)).toFixed(1);
  return {
    bench: 'reduction',
    case: `${name} at ${width}x${height}: ${saving} % saved (published, other models at 512 to 1024: 75.4 to 80.8 %)`,
    ours: container.byteLength,
    peer: png.byteLength,
    unit: 'B',
    ratio: png.byteLength / container.byteLength,
    versus: `the ${format} of the decoded picture`,
  };
}
