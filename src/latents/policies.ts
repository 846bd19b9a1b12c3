/** Which policy an object falls under: the first whose pattern matches, else the default. */
import { policySchema, type PolicyConfig } from '../config/schema.js';

/** How objects under a prefix are stored; see docs/configuration.md, `policies`. */
export type Policy = Omit<PolicyConfig, 'match'>;

const { match: _everything, ...defaults } = policySchema.parse({ match: '*' });
export const DEFAULT_POLICY: Policy = defaults;

export class Policies {
  readonly #rules: readonly { readonly pattern: RegExp; readonly policy: Policy }[];

  constructor(policies: readonly PolicyConfig[]) {
    this.#rules = policies.map(({ match, ...policy }) => ({ pattern: wildcard(match), policy }));
  }

  for(bucket: string, key: string): Policy {
    const name = `${bucket}/${key}`;
    return this.#rules.find(({ pattern }) => pattern.test(name))?.policy ?? DEFAULT_POLICY;
  }
}

/** `*` stands for any characters, slashes too; everything else for itself. */
function wildcard(pattern: string): RegExp {
  const escaped = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`, 's');
}
