/** Who sent this request: the one entry to authentication. */
import { S3Error } from '../errors.js';
import { headerOf, type WireRequest } from '../wire-request.js';
import type { SignatureClaim } from './claim.js';
import { readHeaderClaim } from './header-claim.js';
import { parsePayloadDeclaration } from './payload.js';
import { readQueryV2, verifyQueryV2, type QueryV2 } from './query-v2.js';
import { authParameters, readQueryClaim, type AuthParameters } from './query-claim.js';
import type { AuthenticatedRequest, AuthenticationDeps } from './types.js';
import { verifyClaim } from './verify.js';

/**
 * Verifies SigV4 in the Authorization header or the query; a request with neither is the anonymous principal's. The
 * body is not touched: hand the result to `decodeRequestBody`. Rejects with AWS's S3Errors; a rejection tells nothing of
 * secrets. POST forms sign their policy instead: see `verifyPostPolicy`.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export async function authenticate(request: WireRequest, deps: AuthenticationDeps): Promise<AuthenticatedRequest> {
  const older = headerOf(request, 'authorization') === undefined ? readQueryV2(request.rawQuery) : undefined;
  if (older) return presignedV2(request, older, deps);
  const claim = readClaim(request, deps);
  if (claim === undefined) return anonymous(request, deps);
  const { credential, signingKey } = verifyClaim(request, claim, deps.credentials, deps.externalUrls ?? []);
  const { payload, method, scope, timestamp, signature } = claim;
  const authenticated: AuthenticatedRequest = {
    principal: { name: credential.name, accessKeyId: credential.accessKeyId, allow: credential.allow },
    accessKeyId: credential.accessKeyId,
    credentialName: credential.name,
    method,
    payload,
  };
  if (payload.kind !== 'streaming' || !payload.signed) return authenticated;
  return { ...authenticated, chunkSigning: { signingKey, timestamp, scope: scope.text, seedSignature: signature } };
}

function presignedV2(request: WireRequest, claim: QueryV2, deps: AuthenticationDeps): AuthenticatedRequest {
  const credential = verifyQueryV2(request, claim, deps);
  return {
    principal: { name: credential.name, accessKeyId: credential.accessKeyId, allow: credential.allow },
    accessKeyId: credential.accessKeyId,
    credentialName: credential.name,
    method: 'query',
    payload: { kind: 'unsigned' },
  };
}

function readClaim(request: WireRequest, deps: AuthenticationDeps): SignatureClaim | undefined {
  const authorization = headerOf(request, 'authorization');
  const query = authParameters(request.rawQuery);
  const presigned = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('X-Amz-Credential');
  if (query.has('AWSAccessKeyId') && !presigned)
    throw new S3Error(
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    );
  if (authorization === undefined) return presigned ? readQueryClaim(request, query, context(deps)) : undefined;
  if (presigned) throw bothMechanisms(authorization, query);
  return readHeaderClaim(request, authorization, context(deps));
}

function context(deps: AuthenticationDeps): { region: string; now: Date } {
  return { region: deps.region, now: deps.now?.() ?? new Date() };
}

function bothMechanisms(authorization: string, query: AuthParameters): S3Error {
  const scheme = authorization.split(' ', 1)[0] ?? '';
  return new S3Error(
    'InvalidArgument',
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or ' +
      'the Authorization header should be specified',
    {
      fields: {
        ArgumentName: 'Authorization',
        ArgumentValue: scheme,
        QueryAlgorithm: query.get('X-Amz-Algorithm') ?? '',
      },
    },
  );
}

function anonymous(request: WireRequest, deps: AuthenticationDeps): AuthenticatedRequest {
  const payload = parsePayloadDeclaration(headerOf(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD');
  if (payload.kind === 'streaming' && payload.signed)
    throw new S3Error('InvalidRequest', 'A body of signed chunks needs a signed request.');
  return {
    principal: { name: 'anonymous', allow: deps.credentials.anonymous },
    accessKeyId: undefined,
    credentialName: 'anonymous',
    method: 'anonymous',
    payload,
  };
}
