/** Shapes of untrusted files, held to limits before anything is allocated. */
import { CodecError, type CodecFormat } from '../errors.js';
import { BYTES_PER_ELEMENT, type DType, type TensorLimits } from '../tensor.js';

/** More dimensions than any latent has; a longer list is an attack on whoever walks it. */
const MAX_DIMENSIONS = 8;

/**
 * The count of elements of `shape`.
 *
 * @throws CodecError naming `field` when a size is no whole number, or the product is over the limit
 */
export function countElements(
  format: CodecFormat,
  field: string,
  shape: readonly number[],
  { maxElements }: Pick<TensorLimits, 'maxElements'>,
): number {
  if (shape.length > MAX_DIMENSIONS) {
    throw new CodecError(format, field, `${shape.length} dimensions, at most ${MAX_DIMENSIONS} are read`);
  }
  let count = 1;
  let empty = false;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new CodecError(format, field, `sizes are whole numbers from 0, not ${String(size)}`);
    }
    if (size === 0) empty = true;
    // Sizes beside a zero are held to the limit too: readers downstream multiply in other orders.
    else if (count * size > maxElements) {
      throw new CodecError(format, field, `[${shape.join(', ')}] is more than the limit of ${maxElements} elements`);
    } else count *= size;
  }
  return empty ? 0 : count;
}

/** The bytes of a tensor of this type and shape; errors as `countElements`. */
export function tensorByteLength(
  format: CodecFormat,
  field: string,
  dtype: DType,
  shape: readonly number[],
  limits: Pick<TensorLimits, 'maxElements'>,
): number {
  return countElements(format, field, shape, limits) * BYTES_PER_ELEMENT[dtype];
}
