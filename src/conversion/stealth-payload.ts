/** Finds the marks of programs that hide metadata in the lowest bits of pixels; a VAE would destroy what they hide. */

/** Texts that a hidden payload begins with, by the samples whose lowest bits spell them. */
const ALPHA_MARKS = ['stealth_pnginfo', 'stealth_pngcomp'];
const RGB_MARKS = ['stealth_rgbinfo', 'stealth_rgbcomp'];
const MARK_BYTES = 15;

/**
 * Looks at the lowest bits of the pixels in column order, most significant bit first: those of alpha, or of red, green and
 * blue in turn (NovelAI's `stealth_pnginfo` and the forms that other programs made of it).
 *
 * @param pixels interleaved 8-bit samples
 * @returns the mark, or undefined where there is none
 */
export function findStealthMark(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 3 | 4,
): string | undefined {
  const rgb = spell(pixels, width, height, channels, [0, 1, 2]);
  const alpha = channels === 4 ? spell(pixels, width, height, channels, [3]) : '';
  return [...ALPHA_MARKS.filter((mark) => mark === alpha), ...RGB_MARKS.filter((mark) => mark === rgb)][0];
}

function spell(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: number,
  samples: readonly number[],
): string {
  const bytes = new Uint8Array(MARK_BYTES);
  for (let bit = 0; bit < MARK_BYTES * 8; bit++) {
    const pixel = Math.floor(bit / samples.length);
    const x = Math.floor(pixel / height);
    if (x >= width) return '';
    const at = ((pixel % height) * width + x) * channels + (samples[bit % samples.length] ?? 0);
    const byte = bit >> 3;
    bytes[byte] = ((bytes[byte] ?? 0) << 1) | ((pixels[at] ?? 0) & 1);
  }
  return Buffer.from(bytes).toString('latin1');
}
