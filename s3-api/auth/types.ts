/** What authentication needs and what it gives: the face between SigV4, the body decoder and the router. */
import type { CredentialStore, Principal } from './credentials.js';

/** How the client declared its body in `x-amz-content-sha256`. */
export type PayloadDeclaration =
  | { readonly kind: 'unsigned' }
  /** Lower-case hex SHA-256 of the whole body. */
  | { readonly kind: 'sha256'; readonly hex: string }
  /** aws-chunked: `signed` chunks carry a signature chain, `trailer` announces trailing headers. */
  | { readonly kind: 'streaming'; readonly signed: boolean; readonly trailer: boolean };

/** What continues the signature chain over chunks and trailers. @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
export interface ChunkSigningContext {
  readonly signingKey: Buffer;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  /** `YYYYMMDD/region/s3/aws4_request`. */
  readonly scope: string;
  /** Hex signature of the request, the seed of the chain. */
  readonly seedSignature: string;
}

export interface AuthenticatedRequest {
  readonly principal: Principal;
  /** Absent for anonymous requests. */
  readonly accessKeyId: string | undefined;
  /** The configured credential's name, or `anonymous`. */
  readonly credentialName: string;
  readonly method: 'header' | 'query' | 'post-policy' | 'anonymous';
  readonly payload: PayloadDeclaration;
  /** Present for `streaming` payloads with `signed`. */
  readonly chunkSigning?: ChunkSigningContext;
}

export interface AuthenticationDeps {
  readonly credentials: CredentialStore;
  /** The region that credential scopes must name. */
  readonly region: string;
  /**
   * Where clients reach this gateway when a proxy rewrites Host (`https://s3.example.com`): tried instead of the Host
   * header, by `host[:port]` alone. Nothing is ever guessed from X-Forwarded-*.
   */
  readonly externalUrls?: readonly URL[];
  /** Domains of virtual-hosted addressing, as the router has them; what Signature Version 2 signs depends on them. */
  readonly domains?: readonly string[];
  /** The clock; the system's where absent. */
  readonly now?: () => Date;
}
