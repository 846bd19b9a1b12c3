/** GetBucketCors, PutBucketCors, DeleteBucketCors. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html */
import { parseCorsDocument } from '../cors.js';
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';
import {
  documentResponse,
  notConfigured,
  removeDocument,
  storedDocument,
  xmlDocumentText,
} from './bucket-documents.js';

export const getBucketCors: Operation = async (request, deps, signal) => {
  const document = await storedDocument(request, deps, 'cors', signal);
  if (document === undefined) throw notConfigured('NoSuchCORSConfiguration', request.bucket);
  return documentResponse(document);
};

export const putBucketCors: Operation = async (request, { store, cors }, signal) => {
  const text = await xmlDocumentText(request, 'CORSConfiguration');
  parseCorsDocument(text);
  await store.putBucketDocument(request.bucket, 'cors', text, signal);
  cors.forget(request.bucket);
  return emptyResponse(200);
};

export const deleteBucketCors: Operation = async (request, deps, signal) => {
  await removeDocument(request, deps, 'cors', signal);
  deps.cors.forget(request.bucket);
  return emptyResponse(204);
};
