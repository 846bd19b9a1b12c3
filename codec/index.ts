/** Lossless latent codecs and the PNG writer: pure functions on bytes. */
export * from './png/index.js';
