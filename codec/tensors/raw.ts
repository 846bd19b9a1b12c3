/** A bare tensor: bytes whose type and shape came another way. */
import { CodecError } from '../errors.js';
import { DEFAULT_TENSOR_LIMITS, type DType, type Tensor, type TensorLimits } from '../tensor.js';
import { tensorByteLength } from './shape.js';

/**
 * @param bytes little-endian, C order; the tensor shares their memory
 * @throws CodecError when the length is not what type and shape take
 */
export function readRawLatent(
  bytes: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  limits: TensorLimits = DEFAULT_TENSOR_LIMITS,
): Tensor {
  const expected = tensorByteLength('raw', 'shape', dtype, shape, limits);
  if (bytes.byteLength !== expected) {
    throw new CodecError(
      'raw',
      'data',
      `${bytes.byteLength} bytes where [${shape.join(', ')}] of ${dtype} takes ${expected}`,
    );
  }
  return { dtype, shape, data: bytes };
}
