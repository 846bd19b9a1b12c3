/**
 * The claim of an Authorization header.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 */
import { S3Error } from '../errors.js';
import { headerOf, type WireRequest } from '../wire-request.js';
import type { ClaimContext, SignatureClaim } from './claim.js';
import { parsePayloadDeclaration } from './payload.js';
import { checkSkew, formatTimestamp, parseScope, parseTimestamp, type ScopeFault } from './scope.js';
import { ALGORITHM } from './signature.js';

const malformed: ScopeFault = (detail, fields = {}) =>
  new S3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${detail}`, { fields });

/** Throws the S3Error that AWS answers for each fault; the order of the checks is AWS's. */
export function readHeaderClaim(request: WireRequest, authorization: string, context: ClaimContext): SignatureClaim {
  const space = authorization.indexOf(' ');
  const scheme = space < 0 ? authorization : authorization.slice(0, space);
  if (scheme === 'AWS')
    throw new S3Error(
      'InvalidRequest',
      `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    );
  if (scheme !== ALGORITHM)
    throw new S3Error('InvalidArgument', 'Unsupported Authorization Type', {
      fields: { ArgumentName: 'Authorization', ArgumentValue: scheme },
    });

  const parts = readParts(authorization.slice(scheme.length));
  const { timestamp, signedAt } = readTime(request);
  const scope = parseScope(parts.credential, timestamp, context.region, malformed);
  checkSkew(timestamp, signedAt, context.now);

  const payloadHash = headerOf(request, 'x-amz-content-sha256');
  if (payloadHash === undefined)
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  return {
    method: 'header',
    scope,
    timestamp,
    signedHeaders: parts.signedHeaders.toLowerCase().split(';'),
    signature: parts.signature,
    securityToken: headerOf(request, 'x-amz-security-token'),
    payload: parsePayloadDeclaration(payloadHash),
    payloadHash,
  };
}

function readParts(text: string): { credential: string; signedHeaders: string; signature: string } {
  const components = text.split(',').map((component) => component.trim());
  if (components.length !== 3)
    throw malformed('the authorization header requires three components: Credential, SignedHeaders, and Signature.');
  const parts = new Map<string, string>();
  for (const component of components) {
    const equals = component.indexOf('=');
    if (equals <= 0) throw malformed(`the authorization component "${component}" is malformed.`);
    parts.set(component.slice(0, equals).trim(), component.slice(equals + 1).trim());
  }
  const take = (name: string): string => {
    const value = parts.get(name);
    if (value === undefined || value === '') throw malformed(`missing ${name}.`);
    return value;
  };
  return { credential: take('Credential'), signedHeaders: take('SignedHeaders'), signature: take('Signature') };
}

/** `x-amz-date`, else `Date`. */
function readTime(request: WireRequest): { timestamp: string; signedAt: Date } {
  const own = headerOf(request, 'x-amz-date');
  const text = own ?? headerOf(request, 'date');
  if (text !== undefined) {
    const basic = parseTimestamp(text);
    if (basic !== undefined) return { timestamp: text, signedAt: basic };
    // RFC 9110 section 5.6.7; V8 would read much more than that as a date.
    const http = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text) ? Date.parse(text) : NaN;
    if (!Number.isNaN(http)) {
      const signedAt = new Date(http);
      return { timestamp: formatTimestamp(signedAt), signedAt };
    }
  }
  throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
}
