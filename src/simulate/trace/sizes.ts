/** Sizes of an image's two forms: log-normal around the published means, a busy picture being large in both. */
import { hashNormal } from './random.js';

export interface SizeOptions {
  /** Mean size of a PNG, in bytes. */
  readonly meanImageBytes: number;
  /** Mean size of a compressed latent, in bytes. */
  readonly meanLatentBytes: number;
}

/** 1024² PNGs and pcodec latents of SD 3.5 and FLUX.1. */
export const PUBLISHED_SIZES: SizeOptions = { meanImageBytes: 1_400_000, meanLatentBytes: 280_000 };

/** Standard deviations of the logarithms; a PNG of one model's 1024² pictures varies by about a fifth. */
const IMAGE_SPREAD = 0.2;
const LATENT_SPREAD = 0.08;
/** Correlation of the two logarithms. */
const CORRELATION = 0.7;
const IMAGE_SALT = 0x1b873593;
const LATENT_SALT = 0xcc9e2d51;

/** Sizes by object number, the same at every request of a seed. */
export class ObjectSizes {
  readonly #imageBase: number;
  readonly #latentBase: number;

  constructor(
    readonly seed: number,
    { meanImageBytes, meanLatentBytes }: SizeOptions = PUBLISHED_SIZES,
  ) {
    this.#imageBase = Math.log(meanImageBytes) - IMAGE_SPREAD ** 2 / 2;
    this.#latentBase = Math.log(meanLatentBytes) - LATENT_SPREAD ** 2 / 2;
  }

  imageBytes(object: number): number {
    return Math.round(Math.exp(this.#imageBase + IMAGE_SPREAD * hashNormal(this.seed ^ IMAGE_SALT, object)));
  }

  latentBytes(object: number): number {
    const shared = CORRELATION * hashNormal(this.seed ^ IMAGE_SALT, object);
    const own = Math.sqrt(1 - CORRELATION ** 2) * hashNormal(this.seed ^ LATENT_SALT, object);
    return Math.round(Math.exp(this.#latentBase + LATENT_SPREAD * (shared + own)));
  }
}
