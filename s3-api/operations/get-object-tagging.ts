/** GetObjectTagging. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html */
import type { Operation } from '../operation.js';
import { taggingDocument } from './tagging-document.js';

export const getObjectTagging: Operation = async ({ bucket, key }, { store }, signal) => ({
  status: 200,
  xml: taggingDocument(await store.getObjectTags(bucket, key, signal)),
});
