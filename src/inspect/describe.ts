/** What a file or a stored object is, as plain data and as lines for people. */
import {
  decodeContainer,
  detectFormat,
  readLatentFile,
  readPngChunks,
  type PngAncillaryChunks,
} from '../../codec/index.js';
import type { ObjectInfo } from '../../s3-api/index.js';
import { factsFromMetadata, type RenderFacts } from '../latents/facts.js';

export interface ChunkSummary {
  readonly type: string;
  readonly bytes: number;
  /** Keyword of a text chunk (`parameters`, `workflow`). */
  readonly keyword?: string;
}

export interface Description {
  readonly kind: 'latent-container' | 'latent-file' | 'png' | 'other';
  readonly bytes: number;
  readonly model?: string;
  readonly dtype?: string;
  readonly shape?: readonly number[];
  readonly image?: { readonly width: number; readonly height: number };
  readonly scaled?: boolean;
  readonly codec?: string;
  readonly payloadBytes?: number;
  readonly rawBytes?: number;
  readonly fidelity?: { readonly psnr: number; readonly ssim: number };
  readonly chunks?: readonly ChunkSummary[];
  /** What was recorded when the object's PNG was rendered first. */
  readonly render?: RenderFacts;
}

/**
 * @param info of a stored object: adds what its metadata records
 * @throws CodecError where the bytes begin like a known format and are broken
 */
export function describe(bytes: Uint8Array, info?: ObjectInfo): Description {
  const format = detectFormat(bytes);
  const size = { bytes: bytes.byteLength };
  if (format === 'container') {
    const { header, tensor } = decodeContainer(bytes);
    const render = info && factsFromMetadata(info)?.render;
    return {
      kind: 'latent-container',
      ...size,
      model: header.model,
      dtype: header.dtype,
      shape: header.shape,
      image: { width: header.width, height: header.height },
      scaled: header.scaled,
      codec: header.codec.id,
      payloadBytes: header.payloadLength,
      rawBytes: tensor.data.byteLength,
      ...(header.origin.kind === 'encoded' && { fidelity: { psnr: header.origin.psnr, ssim: header.origin.ssim } }),
      chunks: summarise(header.pngChunks),
      ...(render && { render }),
    };
  }
  if (format === 'npy' || format === 'safetensors') return describeTensorFile(bytes);
  if (format === 'png') {
    const png = readPngChunks(bytes);
    return { kind: 'png', ...size, image: { width: png.width, height: png.height }, chunks: summarise(png.chunks) };
  }
  return { kind: 'other', ...size };
}

function describeTensorFile(bytes: Uint8Array): Description {
  const file = readLatentFile(bytes);
  const { tensor, scaled } = file;
  return {
    kind: 'latent-file',
    bytes: bytes.byteLength,
    dtype: tensor.dtype,
    shape: tensor.shape,
    scaled,
    rawBytes: tensor.data.byteLength,
  };
}

function summarise(chunks: PngAncillaryChunks): ChunkSummary[] {
  return [...(chunks.beforePlte ?? []), ...chunks.beforeIdat, ...chunks.afterIdat].map(({ type, data }) => {
    const summary = { type, bytes: data.byteLength };
    if (!['tEXt', 'zTXt', 'iTXt'].includes(type)) return summary;
    const end = data.indexOf(0);
    return { ...summary, keyword: Buffer.from(data.subarray(0, Math.max(end, 0))).toString('latin1') };
  });
}

/** One fact a line. */
export function formatDescription(name: string, description: Description): string {
  const { image, shape, fidelity, chunks, render } = description;
  const rows: (readonly [string, string | undefined])[] = [
    ['object', name],
    ['kind', description.kind],
    ['bytes', description.bytes.toLocaleString('en')],
    ['model', description.model],
    [
      'tensor',
      shape &&
        `${description.dtype ?? ''} [${shape.join(', ')}], ${description.scaled === false ? "the VAE's own scale" : 'scaled'}`,
    ],
    [
      'raw tensor',
      description.rawBytes === undefined ? undefined : `${description.rawBytes.toLocaleString('en')} bytes`,
    ],
    [
      'payload',
      description.codec && `${description.codec}, ${(description.payloadBytes ?? 0).toLocaleString('en')} bytes`,
    ],
    ['picture', image && `${image.width} x ${image.height}`],
    ['fidelity', fidelity && `PSNR ${fidelity.psnr.toFixed(2)} dB, SSIM ${fidelity.ssim.toFixed(4)}`],
    ['PNG served', render && `${render.size.toLocaleString('en')} bytes, MD5 ${render.md5}`],
    [
      'chunks',
      chunks && chunks.length > 0
        ? chunks
            .map(
              ({ type, keyword, bytes }) => `${type}${keyword === undefined ? '' : ` "${keyword}"`} (${bytes} bytes)`,
            )
            .join(', ')
        : undefined,
    ],
  ];
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(11)} ${value}\n`])).join('');
}
