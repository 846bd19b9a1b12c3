import { describe, expect, it } from 'vitest';
import { policySchema } from '../config/schema.js';
import { DEFAULT_POLICY, Policies } from './policies.js';

const policies = new Policies(
  [
    { match: 'images/raw/*.npy', put: 'verbatim' },
    { match: 'images/*', put: 'latent', model: 'flux1', decodeOnPut: false },
    { match: 'a.b/c', put: 'verbatim' },
  ].map((policy) => policySchema.parse(policy)),
);

describe('Policies', () => {
  it('takes the first that matches, with * across slashes', () => {
    expect(policies.for('images', 'raw/deep/x.npy').put).toBe('verbatim');
    expect(policies.for('images', 'raw/deep/x.npz')).toMatchObject({ model: 'flux1', decodeOnPut: false });
  });

  it('takes every other character for itself', () => {
    expect(policies.for('a.b', 'c').put).toBe('verbatim');
    expect(policies.for('axb', 'c')).toEqual(DEFAULT_POLICY);
    expect(policies.for('a.b', 'cc')).toEqual(DEFAULT_POLICY);
  });
});
