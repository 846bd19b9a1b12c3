/** Bucket settings that this gateway does not have, answered as S3 answers for a bucket where none is set. */
import { errors } from '../errors.js';
import type { Operation } from '../operation.js';
import { emptyResponse, xmlResponse } from '../s3-response.js';
import type { XmlElement } from '../xml/build.js';
import { childElements, childText, parseXml } from '../xml/parse.js';
import { documentText, notConfigured } from './bucket-documents.js';

/** ACLs are disabled, and the bucket's owner owns every object. */
export const OWNER_ENFORCED = 'BucketOwnerEnforced';
export const OBJECT_OWNERSHIPS: ReadonlySet<string> = new Set([OWNER_ENFORCED, 'BucketOwnerPreferred', 'ObjectWriter']);

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

/** PUT of the ownership that every bucket has; the others would enable ACLs. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html */
export const putBucketOwnershipControls: Operation = async (request, { store }, signal) => {
  await store.headBucket(request.bucket, signal);
  const controls = parseXml(await documentText(request), 'OwnershipControls');
  const rules = childElements(controls, 'Rule').map((rule) => childText(rule, 'ObjectOwnership') ?? '');
  const [ownership = ''] = rules;
  if (rules.length !== 1 || !OBJECT_OWNERSHIPS.has(ownership)) throw errors.malformedXml();
  if (ownership !== OWNER_ENFORCED) throw errors.notImplemented(`ObjectOwnership ${ownership}`);
  return emptyResponse(200);
};

/** DELETE of a setting that is not set. */
export const deleteUnsetSetting: Operation = async (request, { store }, signal) => {
  await store.headBucket(request.bucket, signal);
  return emptyResponse(204);
};
