/** UploadPart. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
import { quoteEtag } from '../etag.js';
import { checksumHeaders } from '../headers/checksum-headers.js';
import { passThroughHeaders } from '../headers/pass-through.js';
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';
import { parsePartNumber } from './read-options.js';
import { uploadIdOf } from './upload-id.js';
import { MAX_PUT_BYTES, requireSize } from './write-options.js';

export const uploadPart: Operation = async (request, { store }, signal) => {
  const partNumber = parsePartNumber(request);
  const uploadId = uploadIdOf(request);
  requireSize(request.headers, MAX_PUT_BYTES);
  const passed = passThroughHeaders(request.headers);
  const { body, contentLength, checksum } = request.openBody({ maxBytes: MAX_PUT_BYTES, requireLength: true });
  const part = await store.uploadPart(
    request.bucket,
    request.key,
    uploadId,
    partNumber,
    body,
    {
      ...(contentLength !== undefined && { contentLength }),
      ...(checksum !== undefined && { checksum }),
      ...(passed !== undefined && { passThroughHeaders: passed }),
    },
    signal,
  );
  const headers: Record<string, string> = { etag: quoteEtag(part.etag) };
  checksumHeaders(part.checksums, headers);
  // A part has no checksum type: that is the object's.
  delete headers['x-amz-checksum-type'];
  return emptyResponse(200, headers);
};
