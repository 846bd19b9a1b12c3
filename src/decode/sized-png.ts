/** A PNG of a given length: padded where it is shorter, written with more effort where it is longer. */
import {
  assemblePng,
  encodePngStrip,
  PNG_ENCODER_PROFILE,
  planPngStrips,
  type PngAncillaryChunks,
  type PngEffort,
} from '../../codec/index.js';

/** From the one that serving takes to the one that takes longest. */
const EFFORTS: readonly PngEffort[] = ['fast', 'small', 'smallest'];

/**
 * How long the file is to be: exactly so many bytes, or its own length and some room, `max(minBytes, ⌈share · length⌉)`,
 * so that another decoder's slightly longer file can be given the same length later. Absent: its own length.
 */
export type PngSize =
  { readonly exact: number } | { readonly slack: { readonly minBytes: number; readonly share: number } };

/** Room that a first render leaves, so that a decoder whose rounding makes a longer PNG can still keep its size. */
export const RENDER_SLACK = { minBytes: 64, share: 1 / 512 } as const;

export interface PngPicture {
  /** Interleaved 8-bit RGB. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly chunks: PngAncillaryChunks;
}

export interface SizedPng {
  readonly png: Uint8Array;
  readonly effort: PngEffort;
}

/** Names the bytes that the writer makes at an effort. */
export function pngProfile(effort: PngEffort): string {
  return effort === 'fast' ? PNG_ENCODER_PROFILE : `${PNG_ENCODER_PROFILE}-${effort}`;
}

/** The effort that a recorded profile names; `fast` for one that this version does not know. */
export function effortOfProfile(profile: string): PngEffort {
  return EFFORTS.find((effort) => pngProfile(effort) === profile) ?? 'fast';
}

function room(length: number, { minBytes, share }: { readonly minBytes: number; readonly share: number }): number {
  return Math.max(minBytes, Math.ceil(length * share));
}

/**
 * Writes a picture. The strips are deflated once for each effort tried; giving the file its length only frames them again.
 *
 * @param effort the first to try
 * @throws CodecError when no effort makes a file that fits the exact length
 */
export function writeSizedPng(picture: PngPicture, size: PngSize | undefined, effort: PngEffort = 'fast'): SizedPng {
  if (size !== undefined && 'exact' in size) {
    const efforts = EFFORTS.slice(EFFORTS.indexOf(effort));
    for (const candidate of efforts) {
      const { unpadded, padded } = deflate(picture, candidate);
      if (unpadded.byteLength <= size.exact || candidate === efforts.at(-1))
        return { png: padded(size.exact), effort: candidate };
    }
  }
  const { unpadded, padded } = deflate(picture, effort);
  if (size === undefined || 'exact' in size) return { png: unpadded, effort };
  return { png: padded(unpadded.byteLength + room(unpadded.byteLength, size.slack)), effort };
}

/**
 * The picture at exactly `length` bytes: at the least effort that leaves room for another decoder's rounding, else at the
 * least that fits.
 *
 * @returns undefined where no effort makes a file that fits
 */
export function fitPng(picture: PngPicture, length: number): SizedPng | undefined {
  let tight: SizedPng | undefined;
  for (const effort of EFFORTS) {
    const { unpadded, padded } = deflate(picture, effort);
    const { byteLength } = unpadded;
    if (byteLength + room(byteLength, RENDER_SLACK) <= length) return { png: padded(length), effort };
    if (byteLength <= length) tight ??= { png: padded(length), effort };
  }
  return tight;
}

function deflate(
  { pixels, width, height, chunks }: PngPicture,
  effort: PngEffort,
): { readonly unpadded: Uint8Array; readonly padded: (length: number) => Uint8Array } {
  const layout = { width, height, channels: 3, effort } as const;
  const strips = planPngStrips(layout).map((strip) => encodePngStrip(pixels, layout, strip));
  return {
    unpadded: assemblePng(strips, { ...layout, chunks }),
    padded: (padToSize) => assemblePng(strips, { ...layout, chunks, padToSize }),
  };
}
