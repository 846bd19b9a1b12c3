/**
 * The facts of a latent-backed object, as S3 user metadata of its stored container: all that HEAD and LIST need, so
 * that neither reads a body. Names start with `lbx-`; clients neither set nor see them as metadata of their own.
 */
import { createHash } from 'node:crypto';
import type { ObjectInfo, SystemMetadata, UserMetadata } from '../../s3-api/index.js';
import { z } from 'zod';
import { withoutUploadDigests } from './upload-digests.js';

export const CONTAINER_CONTENT_TYPE = 'application/vnd.latentbox';
const RESERVED_PREFIX = 'lbx-';
const FORMAT = 'latent-1';

/** What the PNG of a latent was when it was rendered first; the size is kept for good, on any decoder. */
export interface RenderFacts {
  /** Bytes of the PNG, padding included. */
  readonly size: number;
  /** Lower-case hex. */
  readonly md5: string;
  /** Base64 of the big-endian CRC. */
  readonly crc64nvme: string;
  /** The class of decoder that rendered it (model fingerprint and runtime). */
  readonly decoderClass: string;
  readonly pngProfile: string;
}

export interface LatentFacts {
  readonly model: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** `f16:16x64x64`: element type and shape of the stored tensor. */
  readonly tensor: string;
  /** The payload's codec; absent where an older version recorded the facts, which wrote pcodec only. */
  readonly codec?: string;
  /** 32 hex digits that name what is decoded: tensor, size, scaling and PNG chunks. */
  readonly contentId: string;
  /** Of the PNG against the uploaded one, for a picture that was encoded here: dB (Infinity: equal) and SSIM. */
  readonly fidelity?: { readonly psnr: number; readonly ssim: number };
  /** Absent until the first render (`decodeOnPut: false`). */
  readonly render?: RenderFacts;
  /** The client's own metadata did not fit beside the facts and lies in the container's header. */
  readonly metadataInContainer: boolean;
}

/** Facts of an object that has been rendered. */
export type RenderedFacts = LatentFacts & { readonly render: RenderFacts };

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const factsSchema = z.object({
  'lbx-format': z.literal(FORMAT),
  'lbx-model': z.string().min(1),
  'lbx-image': z.string().regex(/^\d+x\d+$/),
  'lbx-tensor': z.string().regex(/^(f16|bf16|f32):\d+x\d+x\d+$/),
  'lbx-codec': z.string().min(1).optional(),
  'lbx-content': hex32,
  'lbx-size': z.coerce.number().int().positive().optional(),
  'lbx-md5': hex32.optional(),
  'lbx-crc64nvme': z.string().length(12).optional(),
  'lbx-decoder': z.string().min(1).optional(),
  'lbx-png': z.string().min(1).optional(),
  'lbx-psnr': z
    .string()
    .regex(/^(\d{1,3}\.\d\d|inf)$/)
    .transform((text) => (text === 'inf' ? Infinity : Number(text)))
    .optional(),
  'lbx-ssim': z
    .string()
    .regex(/^-?[01]\.\d{5}$/)
    .transform(Number)
    .optional(),
  'lbx-metadata': z.literal('container').optional(),
});

/** The facts, or undefined where the object is verbatim. */
export function factsFromMetadata({
  systemMetadata,
  userMetadata: metadata,
}: Pick<ObjectInfo, 'systemMetadata' | 'userMetadata'>): LatentFacts | undefined {
  // Some S3 servers keep metadata of the object that was overwritten; a container always says its own type.
  if (metadata['lbx-format'] !== FORMAT || systemMetadata.contentType !== CONTAINER_CONTENT_TYPE) return undefined;
  const parsed = factsSchema.safeParse(metadata);
  if (!parsed.success) return undefined;
  const values = parsed.data;
  const [width = 0, height = 0] = values['lbx-image'].split('x').map(Number);
  const render = renderFrom(values);
  const { 'lbx-psnr': psnr, 'lbx-ssim': ssim } = values;
  return {
    model: values['lbx-model'],
    width,
    height,
    tensor: values['lbx-tensor'],
    ...(values['lbx-codec'] !== undefined && { codec: values['lbx-codec'] }),
    contentId: values['lbx-content'],
    ...(psnr !== undefined && ssim !== undefined && { fidelity: { psnr, ssim } }),
    ...(render && { render }),
    metadataInContainer: values['lbx-metadata'] !== undefined,
  };
}

function renderFrom(values: z.output<typeof factsSchema>): RenderFacts | undefined {
  const {
    'lbx-size': size,
    'lbx-md5': md5,
    'lbx-crc64nvme': crc64nvme,
    'lbx-decoder': decoderClass,
    'lbx-png': pngProfile,
  } = values;
  if (
    size === undefined ||
    md5 === undefined ||
    crc64nvme === undefined ||
    decoderClass === undefined ||
    pngProfile === undefined
  )
    return undefined;
  return { size, md5, crc64nvme, decoderClass, pngProfile };
}

export function factsToMetadata(facts: LatentFacts): UserMetadata {
  return {
    'lbx-format': FORMAT,
    'lbx-model': facts.model,
    'lbx-image': `${facts.width}x${facts.height}`,
    'lbx-tensor': facts.tensor,
    ...(facts.codec !== undefined && { 'lbx-codec': facts.codec }),
    'lbx-content': facts.contentId,
    ...(facts.fidelity && { 'lbx-psnr': psnrText(facts.fidelity.psnr), 'lbx-ssim': ssimText(facts.fidelity.ssim) }),
    ...(facts.render && {
      'lbx-size': String(facts.render.size),
      'lbx-md5': facts.render.md5,
      'lbx-crc64nvme': facts.render.crc64nvme,
      'lbx-decoder': facts.render.decoderClass,
      'lbx-png': facts.render.pngProfile,
    }),
    ...(facts.metadataInContainer && { 'lbx-metadata': 'container' }),
  };
}

/** Two decimals, never more than was measured: a promise is not rounded up. */
export function psnrText(psnr: number): string {
  return psnr === Infinity ? 'inf' : (Math.floor(psnr * 100) / 100).toFixed(2);
}

/** Five decimals, never more than was measured. */
export function ssimText(ssim: number): string {
  return (Math.floor(ssim * 100_000) / 100_000).toFixed(5);
}

/** The upload in parts that an object was made of, so that a repeated Complete is known for one. Empty for a plain PUT. */
export function uploadMark(uploadId: string | undefined): UserMetadata {
  if (uploadId === undefined) return {};
  return { 'lbx-upload': createHash('sha256').update(uploadId).digest('hex').slice(0, 32) };
}

export function isMadeOf(uploadId: string, metadata: UserMetadata): boolean {
  return metadata['lbx-upload'] === uploadMark(uploadId)['lbx-upload'];
}

/** The client's own metadata, and the `lbx-*` hints as metadata again. */
export function joinHints(own: UserMetadata, hints: UserMetadata): UserMetadata {
  const joined: Record<string, string> = { ...own };
  for (const [name, value] of Object.entries(hints)) joined[`${RESERVED_PREFIX}${name}`] = value;
  return joined;
}

/** The client's own metadata, and the `lbx-*` hints that it sent with an upload (names without the prefix). */
export function splitReservedMetadata(metadata: UserMetadata): {
  readonly own: UserMetadata;
  readonly hints: UserMetadata;
} {
  const own: Record<string, string> = {};
  const hints: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (name.startsWith(RESERVED_PREFIX)) hints[name.slice(RESERVED_PREFIX.length)] = value;
    else own[name] = value;
  }
  return { own, hints };
}

/** Bytes that S3 counts towards its 2 KB limit: names and values in UTF-8. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
export function metadataBytes(metadata: UserMetadata): number {
  return Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
}

/**
 * The ETag of the PNG that a latent decodes to: it changes with anything that may change a byte of it, and ends in `-1`,
 * the form that clients know not to take for an MD5.
 */
export function imageEtag(
  facts: Pick<LatentFacts, 'contentId' | 'model'>,
  decoderClass: string,
  pngProfile: string,
): string {
  const hash = createHash('md5').update([facts.contentId, facts.model, decoderClass, pngProfile].join('\n'));
  return `${hash.digest('hex')}-1`;
}

/** What the client sees of a latent-backed object: the PNG's facts on top of the stored object's. */
export function imageInfo(
  stored: ObjectInfo,
  facts: RenderedFacts,
  etag: string,
  clientMetadata: UserMetadata,
): ObjectInfo {
  const { contentEncoding: _ofTheContainer, ...systemMetadata } = stored.systemMetadata;
  const headers: SystemMetadata = { ...systemMetadata, contentType: 'image/png' };
  return {
    key: stored.key,
    size: facts.render.size,
    etag,
    lastModified: stored.lastModified,
    systemMetadata: headers,
    userMetadata: withoutUploadDigests(clientMetadata),
    checksums: [{ algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value: facts.render.crc64nvme }],
    ...(stored.tagCount !== undefined && { tagCount: stored.tagCount }),
    ...(stored.storageClass !== undefined && { storageClass: stored.storageClass }),
    ...(stored.versionId !== undefined && { versionId: stored.versionId }),
    extraHeaders: {
      ...stored.extraHeaders,
      'x-lbx-storage': 'latent',
      'x-lbx-model': facts.model,
      'x-lbx-tensor': facts.tensor,
      'x-lbx-codec': facts.codec ?? 'pcodec',
      'x-lbx-stored-size': String(stored.size),
      ...(facts.fidelity && {
        'x-lbx-psnr': psnrText(facts.fidelity.psnr),
        'x-lbx-ssim': ssimText(facts.fidelity.ssim),
      }),
    },
  };
}
