/** Settles a claim: the credential behind it, its token, and its signature over the request as it lay on the wire. */
import { S3Error } from '../errors.js';
import type { WireRequest } from '../wire-request.js';
import { canonicalHeaders, canonicalQuery, canonicalUris } from './canonical.js';
import type { SignatureClaim } from './claim.js';
import type { Credential, CredentialStore } from './credentials.js';
import { equalInConstantTime, sign, signingKey, stringToSign } from './signature.js';

export interface VerifiedClaim {
  readonly credential: Credential;
  readonly signingKey: Buffer;
}

/** Throws InvalidAccessKeyId, InvalidToken, AccessDenied (headers left unsigned) or SignatureDoesNotMatch. */
export function verifyClaim(
  request: WireRequest,
  claim: SignatureClaim,
  credentials: CredentialStore,
  externalUrls: readonly URL[],
): VerifiedClaim {
  const credential = findCredential(credentials, claim.scope.accessKeyId, claim.securityToken);
  checkSignedHeaders(request, claim);
  const key = signingKey(credential, claim.scope);

  const query = canonicalQuery(request.rawQuery, claim.method === 'query' ? 'X-Amz-Signature' : undefined);
  const signedNames = claim.signedHeaders.join(';');
  const uris = canonicalUris(request.rawPath);
  let first: { canonicalRequest: string; text: string } | undefined;
  for (const host of [undefined, ...externalUrls.map((url) => url.host)]) {
    const headers = canonicalHeaders(request, claim.signedHeaders, host);
    for (const uri of uris) {
      const canonicalRequest = `${request.method}\n${uri}\n${query}\n${headers}\n${signedNames}\n${claim.payloadHash}`;
      const text = stringToSign(claim.timestamp, claim.scope.text, canonicalRequest);
      if (equalInConstantTime(sign(key, text), claim.signature)) return { credential, signingKey: key };
      first ??= { canonicalRequest, text };
    }
  }
  throw signatureDoesNotMatch(claim.scope.accessKeyId, claim.signature, first?.text ?? '', first?.canonicalRequest);
}

/** Throws InvalidAccessKeyId for a key that is not configured, InvalidToken where its session token is not the request's. */
export function findCredential(
  credentials: CredentialStore,
  accessKeyId: string,
  securityToken: string | undefined,
): Credential {
  const credential = credentials.find(accessKeyId);
  if (credential === undefined || (credential.sessionToken !== undefined && securityToken === undefined))
    throw new S3Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
      fields: { AWSAccessKeyId: accessKeyId },
    });
  if (securityToken !== undefined && !equalInConstantTime(credential.sessionToken ?? '', securityToken))
    throw new S3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.');
  return credential;
}

/** With the fields that let a client compare its own arithmetic. */
export function signatureDoesNotMatch(
  accessKeyId: string,
  signature: string,
  signedText: string,
  canonicalRequest?: string,
): S3Error {
  const fields: Record<string, string> = {
    AWSAccessKeyId: accessKeyId,
    StringToSign: signedText,
    SignatureProvided: signature,
    StringToSignBytes: spacedHex(signedText),
  };
  if (canonicalRequest !== undefined) {
    fields['CanonicalRequest'] = canonicalRequest;
    fields['CanonicalRequestBytes'] = spacedHex(canonicalRequest);
  }
  return new S3Error(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    { fields },
  );
}

/** Whatever changes what a request means must be under its signature: Host and every x-amz-* header. */
function checkSignedHeaders(request: WireRequest, claim: SignatureClaim): void {
  const signed = new Set(claim.signedHeaders);
  const unsigned = new Set<string>();
  if (!signed.has('host')) unsigned.add('host');
  for (const [name] of request.headers) if (name.startsWith('x-amz-') && !signed.has(name)) unsigned.add(name);
  if (unsigned.size > 0)
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      fields: { HeadersNotSigned: [...unsigned].join(', ') },
    });
}

function spacedHex(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
}
