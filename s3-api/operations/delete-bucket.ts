/** DeleteBucket. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html */
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';

export const deleteBucket: Operation = async (request, { store, cors }, signal) => {
  await store.deleteBucket(request.bucket, signal);
  cors.forget(request.bucket);
  return emptyResponse(204);
};
