/** Byte ranges of RFC 9110 section 14, as S3 takes them. */
import { errors } from './errors.js';
import type { ByteRange, ResolvedByteRange } from './object-store.js';

const SINGLE_RANGE = /^bytes=(\d*)-(\d*)$/;

/**
 * Reads a Range header. S3 answers only single ranges; anything else (several ranges, another unit, `last < first`) is
 * ignored and the whole object is answered, so it gives `undefined` here.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function parseRange(header: string): ByteRange | undefined {
  const match = SINGLE_RANGE.exec(header);
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : { kind: 'suffix', length: Number(last) };
  if (last === '') return { kind: 'from', first: Number(first) };
  return Number(last) < Number(first) ? undefined : { kind: 'from', first: Number(first), last: Number(last) };
}

/** The range as a Range header says it. */
export function formatRange(range: ByteRange): string {
  return range.kind === 'suffix' ? `bytes=-${range.length}` : `bytes=${range.first}-${range.last ?? ''}`;
}

/** A range of a copy's source, which must lie inside it. Throws InvalidArgument. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
export function resolveCopyRange(range: ByteRange, size: number): ResolvedByteRange {
  const last = range.kind === 'from' ? (range.last ?? size - 1) : size - 1;
  if (range.kind === 'suffix' || last >= size)
    throw errors.invalidArgument(
      'x-amz-copy-source-range',
      formatRange(range),
      `Range specified is not valid for source object of size: ${size}`,
    );
  return { first: range.first, last };
}

/** Cuts a range to an object of `size` bytes. Throws InvalidRange where no byte of it lies inside. */
export function resolveByteRange(range: ByteRange, size: number): ResolvedByteRange {
  if (range.kind === 'suffix') {
    if (range.length === 0 || size === 0) throw errors.invalidRange(formatRange(range), size);
    return { first: Math.max(0, size - range.length), last: size - 1 };
  }
  if (range.first >= size) throw errors.invalidRange(formatRange(range), size);
  return { first: range.first, last: Math.min(range.last ?? size - 1, size - 1) };
}
