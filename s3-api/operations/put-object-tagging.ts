/** PutObjectTagging. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html */
import type { Operation } from '../operation.js';
import { readDocument } from '../s3-request.js';
import { emptyResponse } from '../s3-response.js';
import { MAX_TAGGING_BYTES, parseTagging } from './tagging-document.js';

const MAX_OBJECT_TAGS = 10;

export const putObjectTagging: Operation = async (request, { store }, signal) => {
  const xml = (await readDocument(request, MAX_TAGGING_BYTES)).toString('utf8');
  await store.putObjectTags(request.bucket, request.key, parseTagging(xml, MAX_OBJECT_TAGS), signal);
  return emptyResponse(200);
};
