/**
 * The predictive codec: latents without loss, smaller than pcodec makes them. `docs/predictive-codec.md` is the format.
 */
import { CodecError } from '../errors.js';
import { BYTES_PER_ELEMENT, type DType, type Tensor } from '../tensor.js';
import { callEngine } from './engine.js';

/** The engine's numbers for element types. */
const DTYPES: Readonly<Record<DType, number>> = { f16: 0, bf16: 1, f32: 2 };

/** The most elements of one stream: 16 channels of a picture of 8192² pixels. */
export const PREDICTIVE_MAX_ELEMENTS = 1 << 24;

/**
 * Compresses `[C, h, w]`. Deterministic on every machine. Never more than 32 bytes larger than the 16-bit words.
 *
 * @returns undefined for what the codec is not for: over `PREDICTIVE_MAX_ELEMENTS`, or f32 that no 16-bit type holds exactly
 * @throws CodecError when the shape has not three dimensions or the data another length
 */
export function predictiveCompress({ dtype, shape, data }: Tensor): Uint8Array | undefined {
  const [channels, rows, columns] = dimensions(shape);
  const elements = channels * rows * columns;
  if (data.byteLength !== elements * BYTES_PER_ELEMENT[dtype]) {
    throw new CodecError('predictive', 'data', `${data.byteLength} bytes are not ${elements} of ${dtype}`);
  }
  if (elements > PREDICTIVE_MAX_ELEMENTS) return undefined;
  return callEngine(data, (engine) => engine.predictive_compress(DTYPES[dtype], channels, rows, columns));
}

/**
 * The tensor's bytes. Memory follows from the shape that the caller gives; a stream that declares another is refused.
 *
 * @throws CodecError naming the field that is wrong, when the stream is damaged or holds another type or shape
 */
export function predictiveDecompress(stream: Uint8Array, dtype: DType, shape: readonly number[]): Uint8Array {
  const [channels, rows, columns] = dimensions(shape);
  const elements = channels * rows * columns;
  if (elements > PREDICTIVE_MAX_ELEMENTS) {
    throw new CodecError('predictive', 'shape', `${elements} elements, the limit is ${PREDICTIVE_MAX_ELEMENTS}`);
  }
  const data = callEngine(stream, (engine) => engine.predictive_decompress(DTYPES[dtype], channels, rows, columns));
  if (data === undefined) throw new CodecError('predictive', 'header', 'no stream of this codec');
  return data;
}

function dimensions(shape: readonly number[]): [channels: number, rows: number, columns: number] {
  const [channels, rows, columns] = shape;
  const whole = shape.every((size) => Number.isInteger(size) && size >= 0 && size <= 0xffff_ffff);
  if (shape.length !== 3 || !whole || channels === undefined || rows === undefined || columns === undefined) {
    throw new CodecError('predictive', 'shape', `[${shape.join(', ')}] is not [channels, rows, columns]`);
  }
  return [channels, rows, columns];
}
