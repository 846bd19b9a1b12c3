/** Tensors as they travel between the pipeline, its workers, its processes and remote servers. */

/** Element types that graphs take and give here. */
export type ElementType = 'float32' | 'float16' | 'uint8';

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { float32: 4, float16: 2, uint8: 1 };

/** Little-endian, C order; `data` owns its whole buffer, so that it can be transferred. */
export interface HostTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The bytes that a tensor of this type and these dimensions has. */
export function tensorBytes(type: ElementType, dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, ELEMENT_BYTES[type]);
}
