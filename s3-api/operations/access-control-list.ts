/**
 * ACLs where they are disabled: the owner has everything, and only a request that changes nothing succeeds.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
import { errors } from '../errors.js';
import type { Operation, Owner } from '../operation.js';
import { readDocument, type S3Request } from '../s3-request.js';
import { emptyResponse, xmlResponse, type S3Response } from '../s3-response.js';
import { childElements, childText, parseXml } from '../xml/parse.js';
import { aclNotSupported, refuseAclHeaders } from './acl-headers.js';

const MAX_ACL_BYTES = 64 * 1024;

export const getBucketAcl: Operation = async (request, { store, owner }, signal) => {
  await store.headBucket(request.bucket, signal);
  return ownersAcl(owner);
};

export const putBucketAcl: Operation = async (request, { store, owner }, signal) => {
  await requireOwnersAcl(request, owner);
  await store.headBucket(request.bucket, signal);
  return emptyResponse(200);
};

export const getObjectAcl: Operation = async (request, { store, owner }, signal) => {
  await store.headObject(request.bucket, request.key, {}, signal);
  return ownersAcl(owner);
};

export const putObjectAcl: Operation = async (request, { store, owner }, signal) => {
  await requireOwnersAcl(request, owner);
  await store.headObject(request.bucket, request.key, {}, signal);
  return emptyResponse(200);
};

function ownersAcl({ id, displayName }: Owner): S3Response {
  const who = { ID: id, DisplayName: displayName };
  return xmlResponse('AccessControlPolicy', {
    Owner: who,
    AccessControlList: {
      Grant: {
        Grantee: {
          '@xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
          '@xsi:type': 'CanonicalUser',
          ...who,
        },
        Permission: 'FULL_CONTROL',
      },
    },
  });
}

/** Throws AccessControlListNotSupported for what would grant anything to anyone but the owner. */
async function requireOwnersAcl(request: S3Request, owner: Owner): Promise<void> {
  const { headers } = request;
  refuseAclHeaders(headers);
  const text = (await readDocument(request, MAX_ACL_BYTES)).toString('utf8');
  if (text.trim() === '') {
    if (!headers.has('x-amz-acl')) throw errors.invalidRequest('Your request was missing a required header: x-amz-acl');
    return;
  }
  const policy = parseXml(text, 'AccessControlPolicy');
  const grants = childElements(policy, 'AccessControlList').flatMap((list) => childElements(list, 'Grant'));
  for (const grant of grants) {
    const [grantee] = childElements(grant, 'Grantee');
    const isOwners = grantee !== undefined && childText(grantee, 'ID') === owner.id;
    if (!isOwners || childText(grant, 'Permission') !== 'FULL_CONTROL') throw aclNotSupported();
  }
}
