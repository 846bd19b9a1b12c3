/** A converter over the bundled model on the CPU, and pictures that the model made itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { encodeContainer, type PngAncillaryChunk, type PngAncillaryChunks } from '../../../codec/index.js';
import { ByteSemaphore, createDecodePipeline, type DecodePipeline } from '../../decode/index.js';
import { loadModels } from '../../models/load-models.js';
import type { InstalledModel } from '../../models/installed-model.js';
import { packagePath } from '../../package-root.js';
import { ConversionPool } from '../conversion-pool.js';
import type { ConversionOptions } from '../conversion.js';
import { VaeSession } from '../vae-session.js';

export const NEVER: AbortSignal = new AbortController().signal;

export interface StartedConverter {
  readonly converter: ConversionPool;
  readonly pipeline: DecodePipeline;
  readonly models: readonly InstalledModel[];
  close(): Promise<void>;
}

/** @param directories of models beside the bundled one */
export async function startConverter(
  directories: readonly string[] = [],
  { threads = 2 }: { readonly threads?: number } = {},
): Promise<StartedConverter> {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'latentbox-conversion-'));
  const models = await loadModels({ directories: [packagePath('models/bundled'), ...directories], cacheDirectory });
  const pipeline = createDecodePipeline({
    models,
    providers: ['cpu'],
    threads,
    codecWorkers: 1,
    queueDepth: 64,
    memory: new ByteSemaphore({ capacity: 1 << 30, maxWaiting: 64 }),
  });
  await pipeline.start();
  const converter = new ConversionPool({ pipeline, models, concurrency: 2, maxWaiting: 8 });
  return {
    converter,
    pipeline,
    models,
    close: async () => {
      await converter.close();
      await pipeline.close();
      await rm(cacheDirectory, { recursive: true });
    },
  };
}

export const DEFAULT_OPTIONS: Omit<ConversionOptions, 'models'> = {
  psnr: 38,
  ssim: 0.98,
  minSaving: 0.1,
  refineSteps: 40,
  refineSeconds: 600,
  size: 'own',
  convertC2pa: false,
  maxPixels: 1 << 24,
};

/** The picture that a smooth random latent decodes to, as the PNG that a pipeline would have saved. */
export async function ownPicture(
  { pipeline }: StartedConverter,
  model: InstalledModel,
  size: { readonly width: number; readonly height: number },
  seed: number,
  chunks: PngAncillaryChunks = { beforeIdat: [], afterIdat: [] },
): Promise<{ readonly png: Uint8Array; readonly pixels: Uint8Array }> {
  const rows = Math.ceil(size.height / model.spatialFactor);
  const columns = Math.ceil(size.width / model.spatialFactor);
  const values = new SmoothNoise(model.latentChannels * rows * columns, seed, columns);
  const container = encodeContainer({
    model: model.name,
    tensor: { dtype: 'f32', shape: [model.latentChannels, rows, columns], data: values.bytes },
    ...size,
    scaled: true,
    origin: { kind: 'supplied' },
    pngChunks: chunks,
  });
  const { pixels } = await pipeline.renderPixels({ model: model.name, container }, NEVER);
  const bare = await sharp(pixels, { raw: { ...size, channels: 3 } })
    .png({ adaptiveFiltering: true })
    .toBuffer();
  return { pixels, png: withChunks(bare, chunks) };
}

export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What a model's decoder makes of a part of a picture: encoded, decoded, and saved as another program would. */
export async function redecoded(
  { pipeline, models }: Pick<StartedConverter, 'pipeline' | 'models'>,
  name: string,
  picture: Uint8Array,
  crop: Crop,
): Promise<Uint8Array> {
  const model = models.find((candidate) => candidate.name === name);
  if (!model) throw new Error(`the model ${name} is not installed`);
  const { width, height } = crop;
  const pixels = await sharp(picture, { ignoreIcc: true }).removeAlpha().extract(crop).raw().toBuffer();
  const tiling = { maxPixels: 1 << 24, overlap: 16, blend: 8 };
  const session = new VaeSession(pipeline, model, { pixels, width, height }, NEVER, tiling);
  const decoded = await session.decode(await session.encode());
  return sharp(decoded, { raw: { width, height, channels: 3 } })
    .png({ adaptiveFiltering: true })
    .toBuffer();
}

/** A PNG as another program wrote it, with chunks put before its image data and before its end. */
export function withChunks(png: Uint8Array, { beforeIdat, afterIdat }: PngAncillaryChunks): Uint8Array {
  const file = Buffer.from(png);
  const idat = file.indexOf('IDAT') - 4;
  const iend = file.lastIndexOf('IEND') - 4;
  return Buffer.concat([
    file.subarray(0, idat),
    ...beforeIdat.map(framed),
    file.subarray(idat, iend),
    ...afterIdat.map(framed),
    file.subarray(iend),
  ]);
}

/** Length, type, data and CRC (PNG third edition, 5.3). */
function framed({ type, data }: PngAncillaryChunk): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.byteLength, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** Seeded noise that leans on its left neighbour, as latents of pictures do. */
class SmoothNoise {
  readonly bytes: Uint8Array;

  constructor(count: number, seed: number, columns: number) {
    const values = new Float32Array(count);
    let state = seed >>> 0;
    const uniform = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
    for (let i = 0; i < count; i++) {
      const noise = 2 * (uniform() + uniform() + uniform() - 1.5);
      const left = i % columns === 0 ? noise : (values[i - 1] ?? 0);
      values[i] = 0.85 * left + 0.5 * noise;
    }
    this.bytes = new Uint8Array(values.buffer);
  }
}
