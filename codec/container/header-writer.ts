/** The JSON header of a container, written in one order so that the same image gives the same bytes. */
import { CodecError } from '../errors.js';
import type { PngAncillaryChunk, PngAncillaryChunks } from '../png/index.js';
import type { CodecSettings, LatentImage, LatentOrigin } from './latent-image.js';

export interface HashedPayload {
  readonly codec: CodecSettings;
  readonly length: number;
  readonly sha256: string;
  readonly tensorSha256: string;
}

/** @throws CodecError when PSNR or SSIM is not a number that JSON can hold */
export function writeHeader(image: LatentImage, payload: HashedPayload): Uint8Array {
  const { model, tensor, width, height, scaled, origin, pngChunks, attributes } = image;
  const header = {
    model,
    dtype: tensor.dtype,
    shape: tensor.shape,
    width,
    height,
    scaled,
    origin: originJson(origin),
    pngChunks: chunksJson(pngChunks),
    attributes: attributes ?? {},
    tensorSha256: payload.tensorSha256,
    codec: payload.codec,
    payload: { length: payload.length, sha256: payload.sha256 },
  };
  return Buffer.from(JSON.stringify(header));
}

function originJson(origin: LatentOrigin): unknown {
  if (origin.kind === 'supplied') return { kind: origin.kind };
  const { kind, psnr, ssim } = origin;
  if (Number.isNaN(psnr) || psnr === -Infinity || !Number.isFinite(ssim)) {
    throw new CodecError('container', 'origin', `no fidelity: PSNR ${psnr}, SSIM ${ssim}`);
  }
  // JSON has no infinity; null stands for the PSNR of equal pictures.
  return { kind, psnr: Number.isFinite(psnr) ? psnr : null, ssim };
}

function chunksJson({ beforePlte = [], beforeIdat, afterIdat }: PngAncillaryChunks): unknown[] {
  const place = (at: string, chunks: readonly PngAncillaryChunk[]) =>
    chunks.map(({ type, data }) => ({
      type,
      at,
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
    }));
  return [...place('beforePlte', beforePlte), ...place('beforeIdat', beforeIdat), ...place('afterIdat', afterIdat)];
}
