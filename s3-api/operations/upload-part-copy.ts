/** UploadPartCopy. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
import { parseRange } from '../byte-range.js';
import { errors } from '../errors.js';
import { quoteEtag } from '../etag.js';
import { checksumElements } from '../headers/checksum-headers.js';
import { passThroughHeaders } from '../headers/pass-through.js';
import type { ByteRange } from '../object-store.js';
import type { Operation } from '../operation.js';
import { xmlResponse } from '../s3-response.js';
import { copySource } from './copy-source.js';
import { parsePartNumber } from './read-options.js';
import { uploadIdOf } from './upload-id.js';

export const uploadPartCopy: Operation = async (request, deps, signal) => {
  const partNumber = parsePartNumber(request);
  const uploadId = uploadIdOf(request);
  const source = copySource(request, deps);
  const rangeHeader = request.headers.get('x-amz-copy-source-range');
  const range = rangeHeader === undefined ? undefined : copyRange(rangeHeader);
  const passed = passThroughHeaders(request.headers);
  const part = await deps.store.uploadPartCopy(
    { ...source, ...(range !== undefined && { range }) },
    request.bucket,
    request.key,
    uploadId,
    partNumber,
    passed === undefined ? {} : { passThroughHeaders: passed },
    signal,
  );
  return xmlResponse('CopyPartResult', {
    ETag: quoteEtag(part.etag),
    LastModified: part.lastModified,
    ...checksumElements(part.checksums, false),
  });
};

/** Unlike a Range header, this one must have both ends and is never ignored. */
function copyRange(header: string): ByteRange {
  const range = parseRange(header);
  if (range?.kind === 'from' && range.last !== undefined) return range;
  throw errors.invalidArgument(
    'x-amz-copy-source-range',
    header,
    'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
  );
}
