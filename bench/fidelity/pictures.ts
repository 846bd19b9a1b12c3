/** The pictures that fidelity is measured on: the bundled model's own, photographs, and pictures of other models. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { encodeContainer, readLatentFile } from '../../codec/index.js';
import { NEVER, type StartedConverter } from '../../src/conversion/testing/started-converter.js';
import { addModel } from '../../src/models/registry.js';
import { packagePath } from '../../src/package-root.js';

export const SHARED_PICTURES = packagePath('../shared/data/pictures');
const SHARED_VAES = packagePath('../shared/data/vae');
export const hasSharedData = existsSync(SHARED_VAES);
/** Side of the squares cut from large pictures, so that a run ends within minutes on a CPU. */
const SIDE = 320;
const MAX_OTHERS = 4;

export interface BenchPicture {
  readonly name: string;
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** As a program saves it: libpng, adaptive filters, level 6. */
  readonly png: Uint8Array;
}

export interface PictureSet {
  readonly name: string;
  readonly pictures: readonly BenchPicture[];
}

export async function pictureSets(started: StartedConverter): Promise<PictureSet[]> {
  const sets = [
    { name: "the bundled model's own", pictures: await ownPictures(started) },
    { name: 'photographs', pictures: [await square(packagePath('samples/coffee.png'), 'coffee')] },
  ];
  if (hasSharedData) {
    const files = (await readdir(SHARED_PICTURES)).filter((file) => /^(flux|sd3|sdxl|qwen)/.test(file));
    const others = files.slice(0, MAX_OTHERS).map((file) => square(join(SHARED_PICTURES, file), file));
    sets.push({ name: 'pictures of other models', pictures: await Promise.all(others) });
  }
  return sets;
}

/** The sample latents, decoded. */
async function ownPictures({ pipeline, models }: StartedConverter): Promise<BenchPicture[]> {
  const [model] = models;
  if (!model) throw new Error('the bundled model is missing');
  const pictures: BenchPicture[] = [];
  for (const file of ['cat.npy', 'dandelion.npy', 'astronaut.safetensors']) {
    const { tensor, scaled, pngChunks } = readLatentFile(await readFile(packagePath(`samples/${file}`)));
    const [, rows = 0, columns = 0] = tensor.shape;
    const container = encodeContainer({
      model: model.name,
      tensor,
      width: columns * model.spatialFactor,
      height: rows * model.spatialFactor,
      scaled,
      origin: { kind: 'supplied' },
      pngChunks,
    });
    const { pixels, width, height } = await pipeline.renderPixels({ model: model.name, container }, NEVER);
    pictures.push(await saved(file, pixels, width, height));
  }
  return pictures;
}

/** Installs tiny VAEs of the shared data. @returns the folder of models */
export async function addTinyModels(work: string, names: readonly string[]): Promise<string> {
  const modelsDirectory = join(work, 'models');
  for (const preset of names) {
    const files = ['encoder', 'decoder'].map((half) => join(SHARED_VAES, `${preset}_${half}.safetensors`));
    await addModel(preset, files, { modelsDirectory, cacheDirectory: join(work, 'cache'), preset });
  }
  return modelsDirectory;
}

/** The middle of a picture. */
export async function square(file: string, name: string, side = SIDE): Promise<BenchPicture> {
  const { width, height } = await sharp(file).metadata();
  const size = { width: Math.min(side, width), height: Math.min(side, height) };
  const at = { left: Math.floor((width - size.width) / 2), top: Math.floor((height - size.height) / 2) };
  const picture = sharp(file, { ignoreIcc: true }).removeAlpha();
  const pixels = await picture
    .extract({ ...at, ...size })
    .raw()
    .toBuffer();
  return saved(name, pixels, size.width, size.height);
}

export async function saved(name: string, pixels: Uint8Array, width: number, height: number): Promise<BenchPicture> {
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ adaptiveFiltering: true })
    .toBuffer();
  return { name, pixels, width, height, png };
}
