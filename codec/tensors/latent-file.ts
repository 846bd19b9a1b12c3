/** One latent out of a tensor file: which tensor it is, in what layout, in whose scale, and what text came with it. */
import { CodecError } from '../errors.js';
import type { PngAncillaryChunk, PngAncillaryChunks } from '../png/index.js';
import { DEFAULT_TENSOR_LIMITS, type Tensor, type TensorLimits } from '../tensor.js';
import { pngTextChunk } from '../text-chunk.js';
import { detectFormat } from './detect-format.js';
import { looksPackedFlux, unpackFluxLatent, type ImageSize } from './flux-packed.js';
import { readNpy } from './npy.js';
import { readSafetensors, type Safetensors } from './safetensors.js';

export interface LatentFile {
  readonly format: 'npy' | 'safetensors';
  /** `[C, h, w]`. */
  readonly tensor: Tensor;
  /** Whether the values carry the model's scaling and shift (diffusers) or are the VAE's own (ComfyUI). */
  readonly scaled: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** ComfyUI's `prompt` and `workflow` as the text chunks that it would have put into its PNG. */
  readonly pngChunks: PngAncillaryChunks;
}

export interface LatentFileOptions {
  readonly limits?: TensorLimits;
  /** Needed for FLUX's packed layout only. */
  readonly image?: ImageSize;
}

const COMFY_TENSOR = 'latent_tensor';
/** Its presence says that the values are in the VAE's own scale; without it they carry SD 1's factor 0.18215. */
const COMFY_RAW_MARKER = 'latent_format_version_0';
const COMFY_TEXTS: readonly string[] = ['prompt', 'workflow'];

/**
 * Reads a `.npy`, `.safetensors` or ComfyUI `.latent` that holds one latent, with or without a batch of one.
 *
 * @throws CodecError when the file is broken, holds no or several latents, or is a pickle
 */
export function readLatentFile(
  bytes: Uint8Array,
  { limits = DEFAULT_TENSOR_LIMITS, image }: LatentFileOptions = {},
): LatentFile {
  const format = detectFormat(bytes);
  switch (format) {
    case 'npy': {
      const tensor = toChannelsRowsColumns(readNpy(bytes, limits), format, 'shape', image);
      return { format, tensor, scaled: true, metadata: {}, pngChunks: { beforeIdat: [], afterIdat: [] } };
    }
    case 'safetensors': {
      const file = readSafetensors(bytes, limits);
      const [name, stored] = onlyLatent(file);
      const tensor = toChannelsRowsColumns(stored, format, `${name}.shape`, image);
      const { metadata } = file;
      return { format, tensor, scaled: !file.tensors.has(COMFY_RAW_MARKER), metadata, pngChunks: textChunks(metadata) };
    }
    case 'pickle':
      throw new CodecError(
        'pickle',
        'file',
        'a .pt file is a program and is never opened; save the tensor with safetensors.torch.save_file or numpy.save',
      );
    case 'container':
    case 'png':
    case 'unknown':
      throw new CodecError('raw', 'file', `neither .npy nor .safetensors (it looks like: ${format})`);
  }
}

function onlyLatent({ tensors }: Safetensors): readonly [string, Tensor] {
  const comfy = tensors.get(COMFY_TENSOR);
  if (comfy) return [COMFY_TENSOR, comfy];
  const [first, second] = tensors;
  if (first && !second) return first;
  const names = [...tensors.keys()].slice(0, 4).map((name) => JSON.stringify(name));
  throw new CodecError(
    'safetensors',
    'header',
    first ? `holds ${tensors.size} tensors (${names.join(', ')}); one latent a file` : 'holds no tensor',
  );
}

/** Drops a batch of one, and Qwen's frame axis of one; unpacks FLUX. */
function toChannelsRowsColumns(tensor: Tensor, format: LatentFile['format'], field: string, image?: ImageSize): Tensor {
  const { shape } = tensor;
  if (looksPackedFlux(shape)) {
    if (image) return unpackFluxLatent(tensor, image);
    throw new CodecError(
      format,
      field,
      `[${shape.join(', ')}] is FLUX's packed layout, whose picture size must be given with it (width and height)`,
    );
  }
  const batch = shape.length >= 4 ? shape[0] : 1;
  if (batch !== undefined && batch > 1) {
    throw new CodecError(format, field, `a batch of ${batch} latents; store each as an object of its own`);
  }
  if (shape.length === 3) return tensor;
  if (shape.length === 4 && batch === 1) return { ...tensor, shape: shape.slice(1) };
  if (shape.length === 5 && batch === 1 && shape[2] === 1)
    return { ...tensor, shape: shape.filter((_, axis) => axis !== 0 && axis !== 2) };
  throw new CodecError(format, field, `[${shape.join(', ')}] is no latent of one picture: [C, h, w] or [1, C, h, w]`);
}

function textChunks(metadata: Readonly<Record<string, string>>): PngAncillaryChunks {
  const texts: PngAncillaryChunk[] = [];
  for (const keyword of COMFY_TEXTS) {
    const text = metadata[keyword];
    if (text !== undefined) texts.push(pngTextChunk(keyword, text));
  }
  return { beforeIdat: texts, afterIdat: [] };
}
