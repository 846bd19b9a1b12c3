/** PutObject. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
import { errors } from '../errors.js';
import { writeResultHeaders } from '../headers/object-headers.js';
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';
import { MAX_PUT_BYTES, newObjectOptions, requireSize, writeConditions } from './write-options.js';

export const putObject: Operation = async (request, { store }, signal) => {
  const { headers } = request;
  if (headers.has('x-amz-write-offset-bytes')) throw errors.notImplemented('x-amz-write-offset-bytes');
  requireSize(headers, MAX_PUT_BYTES);
  const options = newObjectOptions(headers);
  const conditions = writeConditions(headers);
  const { body, contentLength, checksum } = request.openBody({ maxBytes: MAX_PUT_BYTES, requireLength: true });
  const result = await store.putObject(
    request.bucket,
    request.key,
    body,
    {
      ...options,
      ...(conditions !== undefined && { conditions }),
      ...(contentLength !== undefined && { contentLength }),
      ...(checksum !== undefined && { checksum }),
    },
    signal,
  );
  return emptyResponse(200, writeResultHeaders(result));
};
