/** HeadBucket. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';

export const headBucket: Operation = async (request, { store, region }, signal) => {
  await store.headBucket(request.bucket, signal);
  return emptyResponse(200, { 'x-amz-bucket-region': region, 'x-amz-access-point-alias': 'false' });
};
