/** Who may do what: credentials with rules of actions × resources, and the anonymous principal. */

/** Allows each of `actions` on each of `resources`; whatever no rule allows is denied. */
export interface AccessRule {
  /** `s3:GetObject`-like names, case-insensitive, `*` and `?` as wildcards; `*` alone allows everything. */
  readonly actions: readonly string[];
  /** `bucket`, `bucket/key` or `bucket/prefix*`, with `*` and `?` as wildcards (`*` crosses `/`); `*` alone is everything. */
  readonly resources: readonly string[];
}

export interface Credential {
  /** For logs and metrics. */
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A temporary credential's token: then requests must carry exactly this `x-amz-security-token`. */
  readonly sessionToken?: string;
  readonly allow: readonly AccessRule[];
}

/** A caller whose identity is settled. */
export interface Principal {
  readonly name: string;
  /** Absent: anonymous. */
  readonly accessKeyId?: string;
  readonly allow: readonly AccessRule[];
}

export interface CredentialStore {
  find(accessKeyId: string): Credential | undefined;
  /** The rules of callers without credentials (empty: none may do anything). */
  readonly anonymous: readonly AccessRule[];
}

/** Credentials known at start. Throws RangeError where two share an access key id. */
export function staticCredentials(
  credentials: readonly Credential[],
  anonymous: readonly AccessRule[] = [],
): CredentialStore {
  const byId = new Map<string, Credential>();
  for (const credential of credentials) {
    if (byId.has(credential.accessKeyId))
      throw new RangeError(`access key id ${credential.accessKeyId} is given twice`);
    byId.set(credential.accessKeyId, credential);
  }
  return { find: (accessKeyId) => byId.get(accessKeyId), anonymous };
}
