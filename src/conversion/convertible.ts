/** Which PNGs a latent can hold at all: by what their chunks say, and by what their pixels hide. */
import sharp from 'sharp';
import { CodecError, DEFAULT_PNG_LIMITS, detectFormat, readPngChunks, type PngInfo } from '../../codec/index.js';
import { MIN_SSIM_SIDE } from './fidelity.js';
import type { Picture } from './latent-grid.js';
import { findStealthMark } from './stealth-payload.js';
import type { VerbatimReason } from './verbatim-reasons.js';

export interface ConvertiblePng extends Picture {
  readonly chunks: PngInfo['chunks'];
}

export interface ConvertibleRules {
  readonly maxPixels: number;
  readonly convertC2pa: boolean;
}

/** Chunks that sign the file (PNG third edition has none; C2PA's caBX, and dSIG of the PNG extensions). */
const SIGNATURE_TYPES: ReadonlySet<string> = new Set(['caBX', 'dSIG']);
const OPAQUE = 255;

/** The picture, or the reason why it must stay as it is. */
export async function readConvertible(
  png: Uint8Array,
  rules: ConvertibleRules,
): Promise<ConvertiblePng | VerbatimReason> {
  if (detectFormat(png) !== 'png') return 'not-a-png';
  let info: PngInfo;
  try {
    info = readPngChunks(png, { ...DEFAULT_PNG_LIMITS, maxPixels: Number.MAX_SAFE_INTEGER });
  } catch (error) {
    if (error instanceof CodecError) return 'broken-png';
    throw error;
  }
  const structural = refusal(info, rules);
  if (structural !== undefined) return structural;
  const read = await readPixels(png, rules.maxPixels);
  if (read === undefined) return 'broken-png';
  const { width, height } = info;
  const { pixels, channels } = read;
  if (pixels.byteLength !== width * height * channels) return 'broken-png';
  if (findStealthMark(pixels, width, height, channels) !== undefined) return 'stealth-payload';
  if (channels === 3) return { pixels, width, height, chunks: info.chunks };
  const rgb = withoutOpaqueAlpha(pixels, width * height);
  return rgb === undefined ? 'transparency' : { pixels: rgb, width, height, chunks: info.chunks };
}

function refusal(info: PngInfo, { maxPixels, convertC2pa }: ConvertibleRules): VerbatimReason | undefined {
  const { beforePlte = [], beforeIdat, afterIdat } = info.chunks;
  const types = new Set([...beforePlte, ...beforeIdat, ...afterIdat].map(({ type }) => type));
  if (info.animated) return 'animated';
  if (info.bitDepth === 16) return 'sixteen-bit';
  if (info.colorType === 3) return 'palette';
  if (info.colorType === 0 || info.colorType === 4) return 'grey';
  if (info.transparency) return 'transparency';
  if (info.width * info.height > maxPixels) return 'too-large';
  if (Math.min(info.width, info.height) < MIN_SSIM_SIDE) return 'too-small';
  if (!convertC2pa && [...SIGNATURE_TYPES].some((type) => types.has(type))) return 'content-credentials';
  if (info.colorType === 6 && types.has('sBIT')) return 'depends-on-alpha';
  // A suggested palette without its PLTE would leave hIST behind it meaningless.
  if (info.paletteEntries > 0) return 'palette';
  return info.trailingBytes > 0 ? 'trailing-data' : undefined;
}

/** The samples as they are in the file: no profile, no gamma and no orientation is applied. Undefined: damaged. */
async function readPixels(
  png: Uint8Array,
  maxPixels: number,
): Promise<{ pixels: Uint8Array; channels: 3 | 4 } | undefined> {
  try {
    const options = { failOn: 'warning', ignoreIcc: true, limitInputPixels: maxPixels } as const;
    const { data, info } = await sharp(png, options).raw().toBuffer({ resolveWithObject: true });
    return info.channels === 3 || info.channels === 4 ? { pixels: data, channels: info.channels } : undefined;
  } catch {
    // libpng's own words name no reason that ours do not.
    return undefined;
  }
}

/** RGB of RGBA; undefined where a pixel is not opaque. */
function withoutOpaqueAlpha(rgba: Uint8Array, count: number): Uint8Array | undefined {
  const rgb = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++) {
    if (rgba[4 * i + 3] !== OPAQUE) return undefined;
    rgb[3 * i] = rgba[4 * i] ?? 0;
    rgb[3 * i + 1] = rgba[4 * i + 1] ?? 0;
    rgb[3 * i + 2] = rgba[4 * i + 2] ?? 0;
  }
  return rgb;
}
