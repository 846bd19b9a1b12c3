/** Lifecycle, versioning and encryption: kept by stores that can, NotImplemented by those that cannot. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html */
import type { Operation } from '../operation.js';
import { emptyResponse, xmlResponse } from '../s3-response.js';
import {
  documentResponse,
  notConfigured,
  removeDocument,
  storedDocument,
  xmlDocumentText,
} from './bucket-documents.js';

export const getBucketLifecycle: Operation = async (request, deps, signal) => {
  const document = await storedDocument(request, deps, 'lifecycle', signal);
  if (document === undefined) throw notConfigured('NoSuchLifecycleConfiguration', request.bucket);
  return documentResponse(document);
};

export const putBucketLifecycle: Operation = async (request, { store }, signal) => {
  const text = await xmlDocumentText(request, 'LifecycleConfiguration');
  await store.putBucketDocument(request.bucket, 'lifecycle', text, signal);
  return emptyResponse(200);
};

export const deleteBucketLifecycle: Operation = async (request, deps, signal) => {
  await removeDocument(request, deps, 'lifecycle', signal);
  return emptyResponse(204);
};

/** A bucket that never had versioning answers an empty configuration. */
export const getBucketVersioning: Operation = async (request, deps, signal) => {
  const document = await storedDocument(request, deps, 'versioning', signal);
  return document === undefined ? xmlResponse('VersioningConfiguration', {}) : documentResponse(document);
};

export const putBucketVersioning: Operation = async (request, { store }, signal) => {
  const text = await xmlDocumentText(request, 'VersioningConfiguration');
  await store.putBucketDocument(request.bucket, 'versioning', text, signal);
  return emptyResponse(200);
};

export const getBucketEncryption: Operation = async (request, deps, signal) => {
  const document = await storedDocument(request, deps, 'encryption', signal);
  if (document === undefined) throw notConfigured('ServerSideEncryptionConfigurationNotFoundError', request.bucket);
  return documentResponse(document);
};

export const putBucketEncryption: Operation = async (request, { store }, signal) => {
  const text = await xmlDocumentText(request, 'ServerSideEncryptionConfiguration');
  await store.putBucketDocument(request.bucket, 'encryption', text, signal);
  return emptyResponse(200);
};

export const deleteBucketEncryption: Operation = async (request, deps, signal) => {
  await removeDocument(request, deps, 'encryption', signal);
  return emptyResponse(204);
};
