/** Bytes of tensors into the one form of this package: little-endian, C order. */

/** Reverses the bytes of each element. */
export function swapByteOrder(data: Uint8Array, elementBytes: 2 | 4): Uint8Array {
  const swapped = Buffer.from(data);
  return elementBytes === 2 ? swapped.swap16() : swapped.swap32();
}

/** Elements stored first index fastest (Fortran, column-major) to last index fastest. */
export function fortranToC(data: Uint8Array, shape: readonly number[], elementBytes: 2 | 4): Uint8Array {
  const source = elementBytes === 2 ? new Uint16Array(aligned(data)) : new Uint32Array(aligned(data));
  const target = elementBytes === 2 ? new Uint16Array(source.length) : new Uint32Array(source.length);
  const strides: number[] = [];
  let stride = 1;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  const index = shape.map(() => 0);
  let offset = 0;
  for (let position = 0; position < target.length; position++) {
    target[position] = source[offset] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      const step = strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        offset += step;
        break;
      }
      index[axis] = 0;
      offset -= step * (next - 1);
    }
  }
  return new Uint8Array(target.buffer);
}

/** A buffer of its own that starts with the data, whatever the data's offset in theirs. */
function aligned(data: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(data.byteLength);
  new Uint8Array(copy).set(data);
  return copy;
}
