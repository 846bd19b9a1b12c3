/** AbortMultipartUpload. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';
import { uploadIdOf } from './upload-id.js';

export const abortMultipartUpload: Operation = async (request, { store }, signal) => {
  await store.abortMultipartUpload(request.bucket, request.key, uploadIdOf(request), signal);
  return emptyResponse(204);
};
