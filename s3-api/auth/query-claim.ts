/**
 * The claim of a presigned URL.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import { S3Error } from '../errors.js';
import { headerOf, type WireRequest } from '../wire-request.js';
import type { ClaimContext, SignatureClaim } from './claim.js';
import { parsePayloadDeclaration } from './payload.js';
import { isoSeconds, MAX_SKEW_MS, parseScope, parseTimestamp, type ScopeFault } from './scope.js';
import { ALGORITHM } from './signature.js';

/** Seven days, S3's limit. */
const MAX_EXPIRES_S = 604_800;

/** Parameters by name, first of duplicates, values decoded. */
export type AuthParameters = ReadonlyMap<string, string>;

/** The parameters that authentication reads (`X-Amz-*`, and SigV2's, to refuse them by name); malformed escapes stay. */
export function authParameters(rawQuery: string): AuthParameters {
  const found = new Map<string, string>();
  if (!rawQuery.includes('X-Amz-') && !rawQuery.includes('AWSAccessKeyId')) return found;
  for (const pair of rawQuery.split('&')) {
    if (!pair.startsWith('X-Amz-') && !pair.startsWith('AWSAccessKeyId')) continue;
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    if (equals > 0 && !found.has(name)) found.set(name, decode(pair.slice(equals + 1)));
  }
  return found;
}

const parameterError = (message: string, fields: Readonly<Record<string, string>> = {}): S3Error =>
  new S3Error('AuthorizationQueryParametersError', message, { fields });

const malformed: ScopeFault = (detail, fields) =>
  parameterError(`Error parsing the X-Amz-Credential parameter; ${detail}`, fields);

/** Throws the S3Error that AWS answers for each fault. */
export function readQueryClaim(request: WireRequest, query: AuthParameters, context: ClaimContext): SignatureClaim {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw parameterError(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const take = (name: string): string => {
    const value = query.get(name);
    if (value !== undefined && value !== '') return value;
    throw parameterError(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, ' +
        'X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  };
  const credential = take('X-Amz-Credential');
  const signature = take('X-Amz-Signature');
  const timestamp = take('X-Amz-Date');
  const signedHeaders = take('X-Amz-SignedHeaders').toLowerCase().split(';');
  const expires = readExpires(take('X-Amz-Expires'));
  const signedAt = parseTimestamp(timestamp);
  if (signedAt === undefined)
    throw parameterError(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  const scope = parseScope(credential, timestamp, context.region, malformed);
  checkLifetime(signedAt, expires, context.now);

  const declared = query.get('X-Amz-Content-Sha256') ?? headerOf(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD';
  return {
    method: 'query',
    scope,
    timestamp,
    signedHeaders,
    signature,
    securityToken: query.get('X-Amz-Security-Token') ?? headerOf(request, 'x-amz-security-token'),
    payload: parsePayloadDeclaration(declared),
    payloadHash: declared,
  };
}

function readExpires(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw parameterError('X-Amz-Expires should be a number');
  const seconds = Number(text);
  if (seconds < 1) throw parameterError('X-Amz-Expires must be non-negative');
  if (seconds > MAX_EXPIRES_S)
    throw parameterError(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAX_EXPIRES_S} seconds`,
    );
  return seconds;
}

function checkLifetime(signedAt: Date, expires: number, now: Date): void {
  const end = new Date(signedAt.getTime() + expires * 1000);
  if (now.getTime() > end.getTime())
    throw new S3Error('AccessDenied', 'Request has expired', {
      fields: { 'X-Amz-Expires': String(expires), Expires: isoSeconds(end), ServerTime: isoSeconds(now) },
    });
  if (signedAt.getTime() - now.getTime() > MAX_SKEW_MS)
    throw new S3Error('AccessDenied', 'Request is not yet valid', {
      fields: { 'X-Amz-Date': isoSeconds(signedAt), ServerTime: isoSeconds(now) },
    });
}

function decode(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    // Not UTF-8: no valid credential, date or signature either; the checks on the raw text name what is wrong.
    return value;
  }
}
