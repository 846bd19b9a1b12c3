/** Retention and legal hold of objects in buckets without Object Lock. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html */
import { errors } from '../errors.js';
import type { Operation } from '../operation.js';

export const withoutObjectLock: Operation = async (request, { store }, signal) => {
  await store.headBucket(request.bucket, signal);
  throw errors.invalidRequest('Bucket is missing Object Lock Configuration');
};
