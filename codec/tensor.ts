/** The one in-memory form of a tensor in this package: raw little-endian bytes, C order, and what they mean. */

/** Element types that latents come in. `bf16` is the upper half of an IEEE 754 binary32. */
export type DType = 'f16' | 'bf16' | 'f32';

export const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = { f16: 2, bf16: 2, f32: 4 };

export interface Tensor {
  readonly dtype: DType;
  /** Outermost first; an empty shape is a scalar. */
  readonly shape: readonly number[];
  /** Little-endian, C-contiguous; `byteLength` is the product of the shape times the element's bytes. */
  readonly data: Uint8Array;
}

/** Bounds that readers hold untrusted input to. */
export interface TensorLimits {
  /** Elements of one tensor. */
  readonly maxElements: number;
  /** Bytes of a textual header (.npy dictionary, safetensors or container JSON). */
  readonly maxHeaderBytes: number;
}

/** 64 Mi elements (a 16-channel latent of a 16,384² picture) and 4 MiB of header (ComfyUI workflows reach hundreds of KB). */
export const DEFAULT_TENSOR_LIMITS: TensorLimits = { maxElements: 1 << 26, maxHeaderBytes: 4 << 20 };
