import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePng, PNG_ENCODER_PROFILE } from '../../codec/index.js';
import { effortOfProfile, fitPng, pngProfile, RENDER_SLACK, writeSizedPng } from './sized-png.js';

const SIZE = { width: 90, height: 70 };
/** Smooth, so that more effort makes a smaller file. */
const pixels = Uint8Array.from({ length: SIZE.width * SIZE.height * 3 }, (_, i) => {
  const x = Math.floor(i / 3) % SIZE.width;
  const y = Math.floor(i / 3 / SIZE.width);
  return 128 + 90 * Math.sin(x / 17 + (i % 3)) * Math.cos(y / 11);
});
const picture = { pixels, ...SIZE, chunks: { beforeIdat: [], afterIdat: [] } };
const lengthAt = (effort: 'fast' | 'small' | 'smallest') =>
  encodePng(pixels, { ...SIZE, channels: 3, effort }).byteLength;

describe('a PNG of a given length', () => {
  it('takes more effort where the fast one is too long, and always shows the same pixels', async () => {
    expect(lengthAt('smallest')).toBeLessThan(lengthAt('fast'));
    for (const length of [lengthAt('fast') + 500, lengthAt('fast'), lengthAt('fast') - 1, lengthAt('smallest')]) {
      const { png, effort } = writeSizedPng(picture, { exact: length });
      expect(png.byteLength).toBe(length);
      expect(lengthAt(effort)).toBeLessThanOrEqual(length);
      expect((await sharp(png).raw().toBuffer()).equals(pixels)).toBe(true);
    }
    expect(() => writeSizedPng(picture, { exact: lengthAt('smallest') - 100 })).toThrow(/padToSize/);
  });

  it('begins at the recorded effort', () => {
    expect(writeSizedPng(picture, { exact: lengthAt('fast') }, 'smallest').effort).toBe('smallest');
    for (const effort of ['fast', 'small', 'smallest'] as const)
      expect(effortOfProfile(pngProfile(effort))).toBe(effort);
    expect(pngProfile('fast')).toBe(PNG_ENCODER_PROFILE);
    expect(effortOfProfile('another-writer')).toBe('fast');
  });

  it('leaves room for another decoder’s rounding where some effort can', () => {
    const tight = lengthAt('fast') + RENDER_SLACK.minBytes - 1;
    const fitted = fitPng(picture, tight);
    expect(fitted?.png.byteLength).toBe(tight);
    expect(fitted?.effort).not.toBe('fast');
    expect(fitPng(picture, lengthAt('fast') + RENDER_SLACK.minBytes + 100)?.effort).toBe('fast');
    const least = Math.min(lengthAt('small'), lengthAt('smallest'));
    expect(fitPng(picture, least)?.png.byteLength).toBe(least);
    expect(fitPng(picture, least - 1)).toBeUndefined();
  });
});
