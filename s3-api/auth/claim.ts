/** What a signed request claims, read from its Authorization header or its query, before any secret is looked up. */
import type { CredentialScope } from './scope.js';
import type { PayloadDeclaration } from './types.js';

export interface SignatureClaim {
  readonly method: 'header' | 'query';
  readonly scope: CredentialScope;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  /** Lower case, in the client's order. */
  readonly signedHeaders: readonly string[];
  /** As given. */
  readonly signature: string;
  readonly securityToken: string | undefined;
  readonly payload: PayloadDeclaration;
  /** The last line of the canonical request. */
  readonly payloadHash: string;
}

export interface ClaimContext {
  readonly region: string;
  readonly now: Date;
}
