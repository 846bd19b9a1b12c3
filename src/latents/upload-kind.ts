/** What an upload is, decided by its first bytes and the client's `x-amz-meta-lbx-*` hints, never by its name. */
import { z } from 'zod';
import { S3Error, type UserMetadata } from '../../s3-api/index.js';
import { detectFormat, type DType } from '../../codec/index.js';

/** Bytes of an upload that are looked at. */
export const SNIFF_BYTES = 64;

/** What the client says of the latent that it uploads. */
export interface LatentHints {
  /** `x-amz-meta-lbx-model`. */
  readonly model?: string;
  /** `x-amz-meta-lbx-shape` and `-dtype`: the body is a bare tensor. */
  readonly raw?: { readonly shape: readonly number[]; readonly dtype: DType };
  /** `x-amz-meta-lbx-scaled`: whether the values carry the model's scaling; absent: what the file says, else yes. */
  readonly scaled?: boolean;
  /** `x-amz-meta-lbx-width` and `-height`, in pixels: the picture is a crop of the decode; needed for packed latents. */
  readonly image?: { readonly width: number; readonly height: number };
}

export type UploadKind =
  | { readonly kind: 'latent'; readonly format: 'npy' | 'safetensors' | 'container' | 'raw' }
  | { readonly kind: 'other' };

const pixels = z
  .string()
  .regex(/^[1-9]\d{0,5}$/)
  .transform(Number);
const hintsSchema = z.object({
  model: z.string().min(1).max(128).optional(),
  shape: z
    .string()
    .regex(/^\d{1,9}([,x]\d{1,9}){1,3}$/)
    .transform((text) => text.split(/[,x]/).map(Number))
    .optional(),
  dtype: z
    .enum(['f16', 'bf16', 'f32', 'float16', 'bfloat16', 'float32'])
    .transform((name): DType =>
      name === 'float16' ? 'f16' : name === 'bfloat16' ? 'bf16' : name === 'float32' ? 'f32' : name,
    )
    .optional(),
  scaled: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  width: pixels.optional(),
  height: pixels.optional(),
});

const EXPECTED: Readonly<Record<string, string>> = {
  model: "an installed model's name",
  shape: 'numbers such as 16,64,64',
  dtype: 'f16, bf16 or f32',
  scaled: 'true or false',
  width: 'a number of pixels',
  height: 'a number of pixels',
};

/** @throws S3Error InvalidArgument that names the header */
export function parseHints(hints: UserMetadata): LatentHints {
  const parsed = hintsSchema.safeParse(hints);
  if (!parsed.success) {
    const name = String(parsed.error.issues[0]?.path[0]);
    throw invalidHint(name, hints[name] ?? '', EXPECTED[name] ?? '');
  }
  const { model, shape, dtype, scaled, width, height } = parsed.data;
  if ((shape === undefined) !== (dtype === undefined)) {
    throw new S3Error('InvalidArgument', 'A bare tensor needs both x-amz-meta-lbx-shape and x-amz-meta-lbx-dtype.');
  }
  if ((width === undefined) !== (height === undefined)) {
    throw new S3Error(
      'InvalidArgument',
      'The size of the picture needs both x-amz-meta-lbx-width and x-amz-meta-lbx-height.',
    );
  }
  return {
    ...(model !== undefined && { model }),
    ...(shape && dtype && { raw: { shape, dtype } }),
    ...(scaled !== undefined && { scaled }),
    ...(width !== undefined && height !== undefined && { image: { width, height } }),
  };
}

function invalidHint(name: string, value: string, expected: string): S3Error {
  return new S3Error('InvalidArgument', `The value of x-amz-meta-lbx-${name} must be ${expected}.`, {
    fields: { ArgumentName: `x-amz-meta-lbx-${name}`, ArgumentValue: value },
  });
}

/** @param head the first SNIFF_BYTES of the upload, or all of it */
export function uploadKind(head: Uint8Array, hints: LatentHints): UploadKind {
  if (hints.raw) return { kind: 'latent', format: 'raw' };
  const format = detectFormat(head);
  return format === 'npy' || format === 'safetensors' || format === 'container'
    ? { kind: 'latent', format }
    : { kind: 'other' };
}
