/** What a container holds, in memory. */
import type { PngAncillaryChunks } from '../png/index.js';
import type { DType, Tensor } from '../tensor.js';

/** Where a latent came from: uploaded as such, or encoded here from a picture that it was compared with. */
export type LatentOrigin =
  | { readonly kind: 'supplied' }
  /** PSNR in dB (Infinity: equal pixels) and SSIM of the decoded picture against the one that was encoded. */
  | { readonly kind: 'encoded'; readonly psnr: number; readonly ssim: number };

/** A latent and everything needed to give its picture back. */
export interface LatentImage {
  /** The name of the VAE that decodes it. */
  readonly model: string;
  /** `[C, h, w]`. */
  readonly tensor: Tensor;
  /** The picture's size in pixels: the decoded picture's upper left part. */
  readonly width: number;
  readonly height: number;
  /** Whether the values carry the model's scaling and shift. */
  readonly scaled: boolean;
  readonly origin: LatentOrigin;
  readonly pngChunks: PngAncillaryChunks;
  /** The caller's own, kept as they are. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Which codec made the payload, and what its reader needs to know. Values are texts and numbers. */
export interface CodecSettings {
  readonly id: string;
  readonly [setting: string]: string | number;
}

export interface ContainerHeader {
  readonly model: string;
  readonly dtype: DType;
  readonly shape: readonly [channels: number, rows: number, columns: number];
  readonly width: number;
  readonly height: number;
  readonly scaled: boolean;
  readonly origin: LatentOrigin;
  readonly pngChunks: PngAncillaryChunks;
  readonly attributes: Readonly<Record<string, string>>;
  /** SHA-256 of the tensor's bytes, lower-case hex. */
  readonly tensorSha256: string;
  readonly codec: CodecSettings;
  /** Where the payload lies in the file, in bytes; it ends with the file. */
  readonly payloadOffset: number;
  readonly payloadLength: number;
  readonly payloadSha256: string;
}
