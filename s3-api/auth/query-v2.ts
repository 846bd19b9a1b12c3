/**
 * Presigned reads of one object in Signature Version 2, which `aws s3 presign` of the first command line still makes by
 * default. Nothing else is taken in that version: it signs neither the host nor unknown parameters.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 */
import { createHmac } from 'node:crypto';
import { resolveAddress } from '../address.js';
import { S3Error } from '../errors.js';
import { headerOf, type WireRequest } from '../wire-request.js';
import type { Credential } from './credentials.js';
import { equalInConstantTime } from './signature.js';
import type { AuthenticationDeps } from './types.js';
import { findCredential, signatureDoesNotMatch } from './verify.js';

/** Query parameters of a read that are part of the resource that is signed, in the order in which they are. */
const SIGNED_PARAMETERS: readonly string[] = [
  'partNumber',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'versionId',
];
const AUTH_PARAMETERS: readonly string[] = ['AWSAccessKeyId', 'Signature', 'Expires'];

/** The parameters of a presigned URL of version 2. */
export interface QueryV2 {
  readonly accessKeyId: string;
  /** Base64. */
  readonly signature: string;
  /** Unix seconds, as the URL has them. */
  readonly expires: string;
}

/** Undefined where the query is not signed in version 2. */
export function readQueryV2(rawQuery: string): QueryV2 | undefined {
  if (!rawQuery.includes('AWSAccessKeyId=')) return undefined;
  const query = new URLSearchParams(rawQuery.replaceAll('+', '%2B'));
  const accessKeyId = query.get('AWSAccessKeyId');
  const signature = query.get('Signature');
  const expires = query.get('Expires');
  if (!accessKeyId || !signature || !expires)
    throw new S3Error(
      'AccessDenied',
      'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    );
  return { accessKeyId, signature, expires };
}

/** Throws AccessDenied (expired), InvalidAccessKeyId or SignatureDoesNotMatch. */
export function verifyQueryV2(request: WireRequest, claim: QueryV2, deps: AuthenticationDeps): Credential {
  const now = deps.now?.() ?? new Date();
  const expiresAt = Number(claim.expires) * 1000;
  if (!/^\d{1,12}$/.test(claim.expires))
    throw new S3Error('AccessDenied', `Invalid date (should be seconds since epoch): ${claim.expires}`);
  if (expiresAt < now.getTime())
    throw new S3Error('AccessDenied', 'Request has expired', {
      fields: { Expires: new Date(expiresAt).toISOString(), ServerTime: now.toISOString() },
    });
  const credential = findCredential(deps.credentials, claim.accessKeyId, undefined);
  const text = textToSign(request, claim.expires, signedResource(request, deps.domains ?? []));
  if (!equalInConstantTime(hmacSha1(credential.secretAccessKey, text), claim.signature))
    throw signatureDoesNotMatch(claim.accessKeyId, claim.signature, text);
  return credential;
}

function textToSign(request: WireRequest, expires: string, resource: string): string {
  const contentMd5 = headerOf(request, 'content-md5') ?? '';
  const contentType = headerOf(request, 'content-type') ?? '';
  return `${request.method}\n${contentMd5}\n${contentType}\n${expires}\n${amzHeaders(request)}${resource}`;
}

function amzHeaders(request: WireRequest): string {
  const values = new Map<string, string>();
  for (const [name, value] of request.headers) {
    if (!name.startsWith('x-amz-')) continue;
    const before = values.get(name);
    values.set(name, before === undefined ? value.trim() : `${before},${value.trim()}`);
  }
  return [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
    .join('');
}

/** `/bucket/key`, with the bucket of just that address which the front will route to. */
function signedResource(request: WireRequest, domains: readonly string[]): string {
  const { bucket, key, virtualHosted } = resolveAddress(request.rawPath, headerOf(request, 'host'), domains);
  const pairs = [...new URLSearchParams(request.rawQuery.replaceAll('+', '%2B'))];
  const unsigned = pairs.find(([name]) => !SIGNED_PARAMETERS.includes(name) && !AUTH_PARAMETERS.includes(name));
  if (key === '' || !['GET', 'HEAD'].includes(request.method) || unsigned)
    throw new S3Error(
      'InvalidRequest',
      'Signature Version 2 is taken for presigned reads of one object only. Please use AWS4-HMAC-SHA256.',
    );
  return `${virtualHosted ? `/${bucket}` : ''}${request.rawPath}${signedParameters(pairs)}`;
}

function signedParameters(pairs: readonly (readonly [string, string])[]): string {
  const signed = SIGNED_PARAMETERS.flatMap((name) => pairs.filter(([given]) => given === name));
  if (signed.length === 0) return '';
  return `?${signed.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&')}`;
}

/** Base64, as version 2 writes signatures. */
export function hmacSha1(secret: string, text: string): string {
  return createHmac('sha1', secret).update(Buffer.from(text, 'latin1')).digest('base64');
}
