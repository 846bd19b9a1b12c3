/** DeleteObjectTagging. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html */
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';

export const deleteObjectTagging: Operation = async ({ bucket, key }, { store }, signal) => {
  await store.putObjectTags(bucket, key, {}, signal);
  return emptyResponse(204);
};
