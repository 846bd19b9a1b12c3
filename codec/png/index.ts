/** PNG: a fast writer with exact sizes, and a reader for everything but the pixels. */
export type { PngAncillaryChunk, PngAncillaryChunks } from './chunks.js';
export { PADDING_CHUNK_TYPE } from './chunks.js';
export type { PngFileOptions, PngOptions } from './encode-png.js';
export { assemblePng, encodePng, PNG_ENCODER_PROFILE } from './encode-png.js';
export type { EncodedPngStrip } from './encode-strip.js';
export { encodePngStrip } from './encode-strip.js';
export type { PngColorType, PngHeader } from './header.js';
export type { PngEffort, PngLayout, PngStrip } from './layout.js';
export { planPngStrips } from './layout.js';
export type { PngInfo, PngLimits } from './read-chunks.js';
export { DEFAULT_PNG_LIMITS, readPngChunks } from './read-chunks.js';
