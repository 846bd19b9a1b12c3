/** Bucket settings that this gateway does not have, answered as S3 answers for a bucket where none is set. */
import type { Operation } from '../operation.js';
import { emptyResponse, xmlResponse } from '../s3-response.js';
import type { XmlElement } from '../xml/build.js';
import { notConfigured } from './bucket-documents.js';

/** GET of a setting whose absence is an error. */
export function unsetSetting(code: Parameters<typeof notConfigured>[0]): Operation {
  return async (request, { store }, signal) => {
    await store.headBucket(request.bucket, signal);
    throw notConfigured(code, request.bucket);
  };
}

/** GET of a setting that has a default. */
export function defaultSetting(root: string, content: XmlElement = {}): Operation {
  return async (request, { store }, signal) => {
    await store.headBucket(request.bucket, signal);
    return xmlResponse(root, content);
  };
}

/** GET of one of a bucket's configurations by `id`, or of their (empty) list. */
export function noConfigurations(root: string): Operation {
  return async (request, { store }, signal) => {
    await store.headBucket(request.bucket, signal);
    if (request.query.has('id')) throw notConfigured('NoSuchConfiguration', request.bucket);
    return xmlResponse(root, { IsTruncated: false });
  };
}

/** DELETE of a setting that is not set. */
export const deleteUnsetSetting: Operation = async (request, { store }, signal) => {
  await store.headBucket(request.bucket, signal);
  return emptyResponse(204);
};
