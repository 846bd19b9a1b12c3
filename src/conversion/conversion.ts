/** From a PNG to the latent that may stand for it, or the reason why none may: what callers ask and are told. */
import type { PayloadCodecChoice, PngEffort, Tensor } from '../../codec/index.js';
import type { VerbatimReason } from './verbatim-reasons.js';

/** What must hold before a latent takes a picture's place, and what may be spent on finding it. */
export interface ConversionOptions {
  /** Names of installed models, in the order in which they are tried; the first that passes is taken. */
  readonly models: readonly string[];
  /** Least PSNR of the decoded picture against the upload, in dB. */
  readonly psnr: number;
  /** Least SSIM, from 0 to 1. */
  readonly ssim: number;
  /** Least share of the upload's bytes that the container must save, from 0 to 1. */
  readonly minSaving: number;
  /** Gradient steps that one model may take; 0: the encoder's latent and a few steps without gradients. */
  readonly refineSteps: number;
  /** Seconds that the search may take over all models. */
  readonly refineSeconds: number;
  /**
   * `strict`: the PNG served has exactly the uploaded length, else the picture is not converted. `own`: the uploaded
   * length where the PNG fits into it, its own length otherwise.
   */
  readonly size: 'strict' | 'own';
  /** Convert pictures with C2PA manifests; the manifest comes back byte for byte, and no longer matches the pixels. */
  readonly convertC2pa: boolean;
  /** How the latent is compressed; pcodec by default. */
  readonly codec?: PayloadCodecChoice;
  /** Largest picture, in pixels. */
  readonly maxPixels: number;
  /** A latent that came with the picture: tried first, and taken as it is where it passes. */
  readonly supplied?: SuppliedLatent;
}

/** A latent that its owner says is the picture's. */
export interface SuppliedLatent {
  /** Name of the installed model that decodes it. */
  readonly model: string;
  readonly tensor: Tensor;
  /** Whether the values carry the model's scaling and shift. */
  readonly scaled: boolean;
}

/** Milliseconds of each stage over all models tried. */
export interface ConversionTimings {
  /** Reading the PNG. */
  readonly read: number;
  /** Encoding and searching, with the decodes and gradients that they take. */
  readonly refine: number;
  /** Decoding what is stored, and measuring it. */
  readonly verify: number;
  /** Compressing the latent. */
  readonly compress: number;
  /** Writing the PNG. */
  readonly png: number;
}

/** How near the best latent came. */
export interface Measured {
  readonly model: string;
  /** dB; Infinity: equal pixels. */
  readonly psnr: number;
  /** Absent where the PSNR said enough. */
  readonly ssim?: number;
  /** Gradient steps taken. */
  readonly steps: number;
}

export interface ConvertedPicture {
  readonly kind: 'latent';
  /** A `.lbx` file whose origin states the fidelity. */
  readonly container: Uint8Array;
  /** What the container decodes to here, with the upload's chunks. */
  readonly png: Uint8Array;
  /** Effort of the PNG writer that it takes. */
  readonly effort: PngEffort;
  /** Whether the PNG has exactly the uploaded length. */
  readonly sizeKept: boolean;
  readonly width: number;
  readonly height: number;
  readonly measured: Required<Measured>;
  /** The latent is the one that was supplied. */
  readonly fromSupplied: boolean;
  readonly timings: ConversionTimings;
}

export interface UnconvertedPicture {
  readonly kind: 'verbatim';
  readonly reason: VerbatimReason;
  /** The nearest latent, where one was looked for. */
  readonly measured?: Measured;
  readonly timings: ConversionTimings;
}

export type Conversion = ConvertedPicture | UnconvertedPicture;

/** Converts pictures; shared by PUT and by migration. */
export interface PictureConverter {
  /**
   * @param png the uploaded file; kept as it is
   * @throws S3Error as DecodePipeline.runGraph: SlowDown (overload), ServiceUnavailable (no device), InternalError (a
   *   graph failed); the signal's reason when it aborts
   */
  convert(png: Uint8Array, options: ConversionOptions, signal: AbortSignal): Promise<Conversion>;
}
