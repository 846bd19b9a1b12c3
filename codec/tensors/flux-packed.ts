/** FLUX pipelines give latents packed: each position of the sequence holds a 2x2 patch of 16 channels. */
import { CodecError } from '../errors.js';
import { BYTES_PER_ELEMENT, type Tensor } from '../tensor.js';

/** 16 channels of a 2x2 patch. */
export const PACKED_FLUX_FEATURES = 64;
const CHANNELS = 16;
const PATCH = 2;
/** Pixels that one position of the sequence covers on each axis: the VAE's 8 times the patch. */
const PIXELS_PER_POSITION = 16;

export interface ImageSize {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

export function looksPackedFlux(shape: readonly number[]): boolean {
  return (shape.length === 2 || (shape.length === 3 && shape[0] === 1)) && shape.at(-1) === PACKED_FLUX_FEATURES;
}

/**
 * `[seq, 64]` or `[1, seq, 64]` to `[16, h, w]`: view (h/2, w/2, 16, 2, 2), permute (2, 0, 3, 1, 4), as diffusers'
 * `FluxPipeline._unpack_latents`.
 *
 * @param image the picture's size, which the sequence's length alone does not tell
 * @throws CodecError when a side is no whole number from 1, or the sequence is not as long as the picture takes
 */
export function unpackFluxLatent(tensor: Tensor, image: ImageSize): Tensor {
  for (const [side, pixels] of Object.entries({ width: image.width, height: image.height })) {
    if (!Number.isSafeInteger(pixels) || pixels < 1) {
      throw new CodecError('raw', `image ${side}`, `${pixels} is no whole number of pixels from 1`);
    }
  }
  const length = tensor.shape.at(-2) ?? 0;
  const rows = Math.ceil(image.height / PIXELS_PER_POSITION);
  const columns = Math.ceil(image.width / PIXELS_PER_POSITION);
  if (!looksPackedFlux(tensor.shape) || length !== rows * columns) {
    throw new CodecError(
      'raw',
      'shape',
      `[${tensor.shape.join(', ')}] is no packed FLUX latent of ${image.width}x${image.height} pixels, which is [1, ${rows * columns}, ${PACKED_FLUX_FEATURES}]`,
    );
  }
  const size = BYTES_PER_ELEMENT[tensor.dtype];
  const [height, width] = [rows * PATCH, columns * PATCH];
  const data = new Uint8Array(tensor.data.byteLength);
  let from = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        for (let y = 0; y < PATCH; y++) {
          // The two columns of a patch are neighbours in both layouts.
          const to = ((channel * height + row * PATCH + y) * width + column * PATCH) * size;
          for (let byte = 0; byte < PATCH * size; byte++) data[to + byte] = tensor.data[from++] ?? 0;
        }
      }
    }
  }
  return { dtype: tensor.dtype, shape: [CHANNELS, height, width], data };
}
