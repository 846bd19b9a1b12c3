/**
 * ACLs where they are disabled: the owner has everything, and only a request that changes nothing succeeds.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
import { S3Error } from '../errors.js';
import type { Operation, Owner } from '../operation.js';
import { readDocument, type S3Request } from '../s3-request.js';
import { emptyResponse, xmlResponse, type S3Response } from '../s3-response.js';
import { childElements, childText, parseXml, type ParsedElement } from '../xml/parse.js';
import { aclNotSupported, refuseAclHeaders } from './acl-headers.js';

const MAX_ACL_BYTES = 64 * 1024;
const PERMISSIONS: ReadonlySet<string> = new Set(['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP']);

export const getBucketAcl: Operation = async (request, { store, owner }, signal) => {
  await store.headBucket(request.bucket, signal);
  return ownersAcl(owner);
};

export const putBucketAcl: Operation = async (request, { store, owner }, signal) => {
  await store.headBucket(request.bucket, signal);
  await requireOwnersAcl(request, owner);
  return emptyResponse(200);
};

export const getObjectAcl: Operation = async (request, { store, owner }, signal) => {
  await store.headObject(request.bucket, request.key, {}, signal);
  return ownersAcl(owner);
};

export const putObjectAcl: Operation = async (request, { store, owner }, signal) => {
  await store.headObject(request.bucket, request.key, {}, signal);
  await requireOwnersAcl(request, owner);
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

/**
 * Throws AccessControlListNotSupported for what would grant anything to anyone but the owner; before that, for a request
 * that is no ACL, MissingSecurityHeader, UnexpectedContent or MalformedACLError.
 */
async function requireOwnersAcl(request: S3Request, owner: Owner): Promise<void> {
  const { headers } = request;
  const canned = headers.has('x-amz-acl');
  const text = (await readDocument(request, MAX_ACL_BYTES)).toString('utf8');
  const written = text.trim() !== '';
  refuseAclHeaders(headers);
  if (written && canned) throw new S3Error('UnexpectedContent', 'This request does not support content.');
  if (!written && !canned)
    throw new S3Error('MissingSecurityHeader', 'Your request was missing a required header.', {
      fields: { MissingHeaderName: 'x-amz-acl' },
    });
  const grants = written ? readGrants(text) : [];
  for (const { grantee, permission } of grants)
    if (grantee !== owner.id || permission !== 'FULL_CONTROL') throw aclNotSupported();
}

interface Grant {
  /** Canonical id, e-mail address or URI. */
  readonly grantee: string;
  readonly permission: string;
}

/** Reads an AccessControlPolicy. Throws MalformedACLError. */
function readGrants(text: string): readonly Grant[] {
  const policy = parsePolicy(text);
  const [owner] = childElements(policy, 'Owner');
  if (owner === undefined || (childText(owner, 'ID') ?? '') === '') throw malformedAcl();
  const grants = childElements(policy, 'AccessControlList').flatMap((list) => childElements(list, 'Grant'));
  return grants.map((grant): Grant => {
    const [who] = childElements(grant, 'Grantee');
    const grantee = who && (childText(who, 'ID') ?? childText(who, 'URI') ?? childText(who, 'EmailAddress'));
    const permission = childText(grant, 'Permission') ?? '';
    if (grantee === undefined || grantee === '' || !PERMISSIONS.has(permission)) throw malformedAcl();
    return { grantee, permission };
  });
}

function parsePolicy(text: string): ParsedElement {
  try {
    return parseXml(text, 'AccessControlPolicy');
  } catch (cause) {
    throw malformedAcl(cause);
  }
}

function malformedAcl(cause?: unknown): S3Error {
  return new S3Error(
    'MalformedACLError',
    'The XML you provided was not well-formed or did not validate against our published schema.',
    { cause },
  );
}
