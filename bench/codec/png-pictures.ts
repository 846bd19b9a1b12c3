/** Pictures for the PNG benchmark: generated ones and photographs that lie outside the repository, decoded by sharp. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sharp } from 'sharp';
import sharp from 'sharp';
import type { PngLayout } from '../../codec/index.js';

export interface Picture {
  readonly name: string;
  readonly kind: 'generated' | 'drawing' | 'photograph';
  readonly pixels: Uint8Array;
  readonly layout: PngLayout;
}

/** Beside the repository, seen from `dist/bench/codec`. */
const GENERATED = fileURLToPath(new URL('../../../../shared/data/pictures/', import.meta.url));
/** Where Debian's gnome-backgrounds and mate-backgrounds put theirs. */
const PHOTOGRAPHS = '/usr/share/backgrounds';
const PHOTOGRAPH_SIDE = 1024;
/** Control pictures and screenshots among the generated ones, and a logo on a gradient among the wallpapers: flat. */
const DRAWINGS = ['scribble', 'depthmap', 'pose', 'workflow', 'lora-lora', 'GreenTraditional'];

const isDrawing = (file: string): boolean => DRAWINGS.some((part) => file.includes(part));

/** @returns what is found; nothing where neither folder exists */
export async function* pictures(): AsyncGenerator<Picture, void, undefined> {
  for (const file of await filesIn(GENERATED, '.png')) {
    yield decode(file, isDrawing(file) ? 'drawing' : 'generated', sharp(file));
  }
  for (const file of await filesIn(PHOTOGRAPHS, '.jpg')) {
    const square = sharp(file).resize(PHOTOGRAPH_SIDE, PHOTOGRAPH_SIDE, { fit: 'cover' });
    yield decode(file, isDrawing(file) ? 'drawing' : 'photograph', square.removeAlpha());
  }
}

async function filesIn(folder: string, extension: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true });
  // Two wallpapers are also there in larger sizes, named with an underscore.
  return entries
    .filter((entry) => entry.endsWith(extension) && !/_\d+x\d+/.test(entry))
    .sort()
    .map((entry) => join(folder, entry));
}

async function decode(file: string, kind: Picture['kind'], image: Sharp): Promise<Picture> {
  const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  if (info.channels < 3) throw new Error(`${file} decodes to ${info.channels} channels`);
  const layout: PngLayout = { width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3 };
  return { name: basename(file), kind, pixels: data, layout };
}
