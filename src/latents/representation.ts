/** Other forms of an image than the PNG: asked for by `x-lbx-format`, `x-lbx-width` or `Accept`. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { decodeContainer, writeNpy, writeSafetensors } from '../../codec/index.js';
import { S3Error, type ObjectInfo, type ReadPreferences } from '../../s3-api/index.js';
import { CONTAINER_CONTENT_TYPE } from './facts.js';

const LATENT_FORMATS = {
  latent: CONTAINER_CONTENT_TYPE,
  npy: 'application/octet-stream',
  safetensors: 'application/octet-stream',
} as const;
const PICTURE_FORMATS = { png: 'image/png', webp: 'image/webp', jpeg: 'image/jpeg', avif: 'image/avif' } as const;

type LatentFormat = keyof typeof LATENT_FORMATS;
type PictureFormat = keyof typeof PICTURE_FORMATS;

/** Widest picture that a client may ask for, in pixels; a larger width never enlarges. */
const MAX_WIDTH = 16_384;

export type Representation =
  | { readonly of: 'latent'; readonly format: LatentFormat }
  | { readonly of: 'picture'; readonly format: PictureFormat; readonly width?: number };

/**
 * @returns undefined for the PNG as it is
 * @throws S3Error InvalidArgument for a format or width that does not exist
 */
export function requestedRepresentation(preferences: ReadPreferences | undefined): Representation | undefined {
  const format =
    preferences?.parameters['x-lbx-format'] ?? (preferences?.accept === CONTAINER_CONTENT_TYPE ? 'latent' : undefined);
  const width = parseWidth(preferences?.parameters['x-lbx-width']);
  if (format !== undefined && isKey(LATENT_FORMATS, format)) {
    if (width !== undefined) throw invalid('x-lbx-width', String(width), 'goes with a picture, not with a latent');
    return { of: 'latent', format };
  }
  if (format !== undefined && !isKey(PICTURE_FORMATS, format)) {
    throw invalid(
      'x-lbx-format',
      format,
      `must be one of ${[...Object.keys(LATENT_FORMATS), ...Object.keys(PICTURE_FORMATS)].join(', ')}`,
    );
  }
  if (width === undefined && (format === undefined || format === 'png')) return undefined;
  return { of: 'picture', format: format ?? 'png', ...(width !== undefined && { width }) };
}

/** The latent's bytes in the format: the container itself, or its tensor alone, bit for bit. */
export function convertLatent(container: Uint8Array, format: LatentFormat): Uint8Array {
  if (format === 'latent') return container;
  const { tensor } = decodeContainer(container);
  return format === 'npy' ? writeNpy(tensor) : writeSafetensors(new Map([['latent', tensor]]));
}

/** The picture re-encoded, scaled down to the width where it is wider. */
export async function convertPicture(
  png: Uint8Array,
  { format, width }: Extract<Representation, { of: 'picture' }>,
): Promise<Uint8Array> {
  const picture = sharp(png);
  const scaled = width === undefined ? picture : picture.resize({ width, withoutEnlargement: true });
  return scaled.toFormat(format).toBuffer();
}

/** The head of a representation: its own size, type and ETag. */
export function representationInfo(image: ObjectInfo, representation: Representation, size: number): ObjectInfo {
  const { checksums: _ofThePng, ...info } = image;
  const name =
    representation.of === 'latent' ? representation.format : `${representation.format}:${representation.width ?? ''}`;
  const contentType =
    representation.of === 'latent' ? LATENT_FORMATS[representation.format] : PICTURE_FORMATS[representation.format];
  return {
    ...info,
    size,
    etag: `${createHash('md5').update(`${image.etag}\n${name}`).digest('hex')}-1`,
    systemMetadata: { ...info.systemMetadata, contentType },
  };
}

function parseWidth(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const width = Number(text);
  if (!/^[1-9]\d*$/.test(text) || width > MAX_WIDTH)
    throw invalid('x-lbx-width', text, `must be a number of pixels from 1 to ${MAX_WIDTH}`);
  return width;
}

function invalid(name: string, value: string, problem: string): S3Error {
  return new S3Error('InvalidArgument', `${name} ${problem}.`, {
    fields: { ArgumentName: name, ArgumentValue: value },
  });
}

function isKey<T extends object>(table: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key);
}
