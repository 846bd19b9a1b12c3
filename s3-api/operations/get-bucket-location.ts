/** GetBucketLocation. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
import type { Operation } from '../operation.js';
import { xmlResponse } from '../s3-response.js';

export const getBucketLocation: Operation = async (request, { store, region }, signal) => {
  await store.headBucket(request.bucket, signal);
  // The first region of all is written as nothing.
  return xmlResponse('LocationConstraint', region === 'us-east-1' ? '' : region);
};
