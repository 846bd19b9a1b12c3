/** What migration needs of the part that turns a PNG into a latent: the gateway's own converter, or a test's. */
import type { UserMetadata } from '../../s3-api/index.js';
import type { RenderedFacts } from '../latents/facts.js';

export interface SourcePicture {
  readonly key: string;
  /** The whole file. */
  readonly png: Uint8Array;
  readonly userMetadata: UserMetadata;
  /** A latent file that lies beside the picture (`x.npy` beside `x.png`). */
  readonly sidecar?: { readonly key: string; readonly bytes: Uint8Array };
}

export interface ConvertedObject {
  readonly kind: 'latent';
  /** A `.lbx` file. */
  readonly container: Uint8Array;
  readonly facts: RenderedFacts;
  /** What clients shall see as the object's metadata from now on. */
  readonly userMetadata: UserMetadata;
  /** dB; Infinity: the pixels are equal. */
  readonly psnr: number;
  readonly ssim: number;
  /** The PNG that is served from now on. */
  readonly png: Uint8Array;
  readonly usedSidecar: boolean;
}

export interface UnconvertedObject {
  readonly kind: 'verbatim';
  readonly reason: string;
  readonly detail: string;
  /** dB, where a latent was tried. */
  readonly psnr?: number;
}

export interface ObjectConverter {
  /** @throws S3Error as DecodePipeline.runGraph; the signal's reason when it aborts */
  convert(picture: SourcePicture, signal: AbortSignal): Promise<ConvertedObject | UnconvertedObject>;
}
