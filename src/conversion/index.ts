/** From PNGs to latents, with a guarantee: what PUT and migration share. */
export type {
  Conversion,
  ConversionOptions,
  ConversionTimings,
  ConvertedPicture,
  Measured,
  PictureConverter,
  SuppliedLatent,
  UnconvertedPicture,
} from './conversion.js';
export { ConversionPool, type ConversionPoolOptions } from './conversion-pool.js';
export { VERBATIM_REASONS, type VerbatimReason } from './verbatim-reasons.js';
