/** GetBucketTagging, PutBucketTagging, DeleteBucketTagging. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html */
import type { Operation } from '../operation.js';
import { readDocument } from '../s3-request.js';
import { emptyResponse } from '../s3-response.js';
import { buildXml } from '../xml/build.js';
import { documentResponse, notConfigured, removeDocument, storedDocument } from './bucket-documents.js';
import { MAX_TAGGING_BYTES, parseTagging, taggingDocument } from './tagging-document.js';

const MAX_BUCKET_TAGS = 50;

export const getBucketTagging: Operation = async (request, deps, signal) => {
  const document = await storedDocument(request, deps, 'tagging', signal);
  if (document === undefined) throw notConfigured('NoSuchTagSet', request.bucket);
  return documentResponse(document);
};

export const putBucketTagging: Operation = async (request, { store }, signal) => {
  const tags = parseTagging((await readDocument(request, MAX_TAGGING_BYTES)).toString('utf8'), MAX_BUCKET_TAGS);
  await store.putBucketDocument(request.bucket, 'tagging', buildXml(taggingDocument(tags)), signal);
  return emptyResponse(204);
};

export const deleteBucketTagging: Operation = async (request, deps, signal) => {
  await removeDocument(request, deps, 'tagging', signal);
  return emptyResponse(204);
};
