/** Synthetic pictures made by integer arithmetic alone, so that they are the same on every machine. */
import type { PngLayout } from '../layout.js';

export const KINDS = ['constant', 'gradient', 'noise', 'smooth with noise', 'blocks', 'sparse'] as const;
export type Kind = (typeof KINDS)[number];

/** A picture of `layout`, interleaved 8 bits a sample, from a xorshift generator. */
export function syntheticPicture(kind: Kind, { width, height, channels }: PngLayout, seed: number): Uint8Array {
  const random = xorshift(seed);
  const base = random() & 0xff;
  const pixels = new Uint8Array(width * height * channels);
  let i = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) pixels[i++] = sample(kind, x, y, c, base, random);
    }
  }
  return pixels;
}

function sample(kind: Kind, x: number, y: number, c: number, base: number, random: () => number): number {
  switch (kind) {
    case 'constant':
      return base + c;
    case 'gradient':
      return (x * (c + 1) + y * 2 + base) >> 2;
    case 'noise':
      return random();
    case 'smooth with noise':
      return ((x * (c + 1)) >> 2) + ((y * 3) >> 2) + (random() & 7) + (random() & 7);
    case 'blocks':
      return ((x >> 4) * 37 + (y >> 4) * 91 + base) * (c + 1);
    case 'sparse':
      return random() % 200 === 0 ? random() : base;
  }
}

function xorshift(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 8;
  };
}
