import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorize, isAllowed, matchesWildcard, readOnlyRules } from './authorize.js';
import type { AccessRule, Principal } from './credentials.js';

const who = (...allow: AccessRule[]): Principal => ({ name: 'someone', allow });

describe('authorize', () => {
  it.each<[AccessRule, string, string, string | undefined, boolean]>([
    [{ actions: ['*'], resources: ['*'] }, 's3:ListAllMyBuckets', '', undefined, true],
    [{ actions: ['*'], resources: ['*'] }, 's3:PutObject', 'b', 'k/l', true],
    [{ actions: ['s3:Get*'], resources: ['b/*'] }, 's3:GetObject', 'b', 'k/l', true],
    [{ actions: ['s3:Get*'], resources: ['b/*'] }, 's3:PutObject', 'b', 'k', false],
    [{ actions: ['S3:getobject'], resources: ['b/*'] }, 's3:GetObject', 'b', 'k', true],
    [{ actions: ['*'], resources: ['b/pre*'] }, 's3:GetObject', 'b', 'prefix', true],
    [{ actions: ['*'], resources: ['b/pre*'] }, 's3:GetObject', 'b', 'other', false],
    [{ actions: ['*'], resources: ['b/pre*'] }, 's3:GetObject', 'bb', 'prefix', false],
    [{ actions: ['*'], resources: ['b'] }, 's3:ListBucket', 'b', undefined, true],
    [{ actions: ['*'], resources: ['b'] }, 's3:GetObject', 'b', 'k', false],
    [{ actions: ['*'], resources: ['b/*'] }, 's3:ListBucket', 'b', undefined, false],
    [{ actions: ['*'], resources: ['b*'] }, 's3:ListAllMyBuckets', '', undefined, false],
    [{ actions: ['*'], resources: ['arn:aws:s3:::b/*'] }, 's3:GetObject', 'b', 'k', true],
    [{ actions: ['*'], resources: ['b/K*'] }, 's3:GetObject', 'b', 'key', false],
  ])('%j: %s on %s/%s → %s', (rule, action, bucket, key, allowed) => {
    expect(isAllowed(who(rule), action, bucket, key)).toBe(allowed);
  });

  it('denies where there is no rule', () => {
    expect(() => {
      authorize(who(), 's3:GetObject', 'b', 'k');
    }).toThrow(expect.objectContaining({ code: 'AccessDenied', message: 'Access Denied' }));
  });

  it('lets anonymous readers read, not list or write', () => {
    const anonymous = who(...readOnlyRules(['b/public/*']));
    expect(isAllowed(anonymous, 's3:GetObject', 'b', 'public/a.png')).toBe(true);
    expect(isAllowed(anonymous, 's3:GetObject', 'b', 'private/a.png')).toBe(false);
    expect(isAllowed(anonymous, 's3:PutObject', 'b', 'public/a.png')).toBe(false);
    expect(isAllowed(anonymous, 's3:ListBucket', 'b')).toBe(false);
  });
});

describe('matchesWildcard', () => {
  const small = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });

  it('agrees with a regular expression', () => {
    fc.assert(
      fc.property(small, text, (pattern, value) => {
        const regex = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesWildcard(pattern, value)).toBe(regex.test(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no exponential time on a hostile pattern', () => {
    const started = performance.now();
    expect(matchesWildcard('a*'.repeat(50) + 'b', 'a'.repeat(1024))).toBe(false);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
