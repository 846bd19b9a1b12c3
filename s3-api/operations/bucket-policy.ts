/**
 * Bucket policies. Access here is by the gateway's configured rules: a policy that would be stored and not evaluated
 * would promise what nothing keeps, so it can be read and removed where the backing store has one, and not be set.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
 */
import { errors } from '../errors.js';
import type { Operation } from '../operation.js';
import { emptyResponse, xmlResponse } from '../s3-response.js';
import { documentResponse, notConfigured, removeDocument, storedDocument } from './bucket-documents.js';

export const getBucketPolicy: Operation = async (request, deps, signal) => {
  const policy = await storedDocument(request, deps, 'policy', signal);
  if (policy === undefined) throw notConfigured('NoSuchBucketPolicy', request.bucket);
  return documentResponse(policy, 'application/json');
};

export const getBucketPolicyStatus: Operation = async (request, deps, signal) => {
  const policy = await storedDocument(request, deps, 'policy', signal);
  if (policy === undefined) throw notConfigured('NoSuchBucketPolicy', request.bucket);
  return xmlResponse('PolicyStatus', { IsPublic: false });
};

export const putBucketPolicy: Operation = async (request, { store }, signal) => {
  await store.headBucket(request.bucket, signal);
  throw errors.notImplemented('bucket policies; access is granted by the credentials in the configuration');
};

export const deleteBucketPolicy: Operation = async (request, deps, signal) => {
  await removeDocument(request, deps, 'policy', signal);
  return emptyResponse(204);
};
