import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkPostPolicy, maxFileSize, parsePolicy, verifyPostPolicy, type PostPolicy } from './post-policy.js';
import { EXAMPLE_CREDENTIAL, EXAMPLE_SCOPE, EXAMPLE_TIME, exampleDeps } from './testing/aws-examples.js';

const POLICY = {
  expiration: '2013-05-25T12:00:00.000Z',
  conditions: [
    { bucket: 'uploads' },
    ['starts-with', '$key', 'user/'],
    ['starts-with', '$Content-Type', 'image/'],
    { 'x-amz-algorithm': 'AWS4-HMAC-SHA256' },
    { 'x-amz-credential': `${EXAMPLE_CREDENTIAL.accessKeyId}/${EXAMPLE_SCOPE}` },
    { 'x-amz-date': '20130524T000000Z' },
    ['content-length-range', 10, '1000'],
  ],
};

function encode(policy: unknown): string {
  return Buffer.from(JSON.stringify(policy)).toString('base64');
}

/** Signed by the definition, step by step, not by the code under test. */
function signed(policy: string): string {
  let key: Buffer | string = `AWS4${EXAMPLE_CREDENTIAL.secretAccessKey}`;
  for (const part of EXAMPLE_SCOPE.split('/')) key = createHmac('sha256', key).update(part).digest();
  return createHmac('sha256', key).update(policy).digest('hex');
}

function form(overrides: Record<string, string | undefined> = {}): Map<string, string> {
  const policy = overrides['policy'] ?? encode(POLICY);
  const fields: Record<string, string | undefined> = {
    bucket: 'uploads',
    key: 'user/cat.png',
    'content-type': 'image/png',
    policy,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${EXAMPLE_CREDENTIAL.accessKeyId}/${EXAMPLE_SCOPE}`,
    'x-amz-date': '20130524T000000Z',
    'x-amz-signature': signed(policy),
    ...overrides,
  };
  return new Map(Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function policyOf(fields: ReadonlyMap<string, string>): PostPolicy {
  const { policy } = verifyPostPolicy(fields, exampleDeps());
  if (policy === undefined) throw new Error('the form has no policy');
  return policy;
}

describe('verifyPostPolicy', () => {
  it('verifies the signature over the policy', () => {
    const { authenticated, policy } = verifyPostPolicy(form(), exampleDeps());
    expect(authenticated).toMatchObject({ method: 'post-policy', credentialName: 'example' });
    expect(policy?.expiration.toISOString()).toBe('2013-05-25T12:00:00.000Z');
    expect(policy === undefined ? undefined : maxFileSize(policy)).toBe(1000);
  });

  it('verifies a signature of version 2, which signs the whole policy as well', () => {
    const policy = encode(POLICY);
    const { accessKeyId, secretAccessKey } = EXAMPLE_CREDENTIAL;
    const signature = createHmac('sha1', secretAccessKey).update(policy).digest('base64');
    const fields = new Map([
      ['key', 'user/cat.png'],
      ['awsaccesskeyid', accessKeyId],
      ['policy', policy],
      ['signature', signature],
    ]);
    expect(verifyPostPolicy(fields, exampleDeps()).authenticated).toMatchObject({ credentialName: 'example' });
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    [
      'a changed policy',
      { policy: encode({ ...POLICY, conditions: [] }), 'x-amz-signature': signed(encode(POLICY)) },
      'SignatureDoesNotMatch',
    ],
    ['an unknown key', { 'x-amz-credential': `NOBODY/${EXAMPLE_SCOPE}` }, 'InvalidAccessKeyId'],
    [
      'another region',
      { 'x-amz-credential': 'A/20130524/eu-west-1/s3/aws4_request' },
      'AuthorizationQueryParametersError',
    ],
    ['no signature', { 'x-amz-signature': undefined }, 'InvalidArgument'],
    ['no date', { 'x-amz-date': undefined }, 'InvalidArgument'],
    ['a malformed date', { 'x-amz-date': 'yesterday' }, 'InvalidArgument'],
    ['another algorithm', { 'x-amz-algorithm': 'AWS4-HMAC-SHA1' }, 'InvalidArgument'],
    ['version 2 without a signature', { 'x-amz-credential': undefined, awsaccesskeyid: 'A' }, 'InvalidArgument'],
    [
      'an unknown key of version 2',
      { 'x-amz-credential': undefined, awsaccesskeyid: 'A', signature: 'x' },
      'InvalidAccessKeyId',
    ],
    [
      'a wrong signature of version 2',
      { 'x-amz-credential': undefined, awsaccesskeyid: EXAMPLE_CREDENTIAL.accessKeyId, signature: 'x' },
      'SignatureDoesNotMatch',
    ],
    ['an unknown token', { 'x-amz-security-token': 'token' }, 'InvalidToken'],
    ['a policy that is no JSON', { policy: 'AAAA' }, 'InvalidPolicyDocument'],
    ['a policy without expiration', { policy: encode({ conditions: [] }) }, 'InvalidPolicyDocument'],
    [
      'a condition of an unknown kind',
      { policy: encode({ ...POLICY, conditions: [['ends-with', '$key', 'x']] }) },
      'InvalidPolicyDocument',
    ],
  ])('refuses %s', (_name, overrides, code) => {
    expect(() => verifyPostPolicy(form(overrides), exampleDeps())).toThrow(expect.objectContaining({ code }));
  });

  it('takes a form without policy and credential as anonymous', () => {
    const { authenticated, policy } = verifyPostPolicy(new Map([['key', 'a']]), exampleDeps());
    expect(authenticated.method).toBe('anonymous');
    expect(policy).toBeUndefined();
  });
});

describe('checkPostPolicy', () => {
  const check = (overrides: Record<string, string | undefined> = {}, size?: number, now = EXAMPLE_TIME) => {
    const fields = form(overrides);
    checkPostPolicy(policyOf(fields), fields, now, size);
  };

  it('lets a form pass that meets every condition', () => {
    expect(() => {
      check({ 'x-ignore-this': 'whatever' }, 1000);
    }).not.toThrow();
  });

  it.each<[string, Record<string, string>, number | undefined, string, RegExp]>([
    ['another bucket', { bucket: 'others' }, undefined, 'AccessDenied', /\["eq", "\$bucket", "uploads"\]/],
    [
      'a key outside the prefix',
      { key: 'admin/cat.png' },
      undefined,
      'AccessDenied',
      /\["starts-with", "\$key", "user\/"\]/,
    ],
    [
      'one of several content types',
      { 'content-type': 'image/png,text/html' },
      undefined,
      'AccessDenied',
      /\$content-type/,
    ],
    ['a field that no condition covers', { acl: 'public-read' }, undefined, 'AccessDenied', /Extra input fields: acl/],
    ['a file that is too large', {}, 1001, 'EntityTooLarge', /maximum allowed size/],
    ['a file that is too small', {}, 9, 'EntityTooSmall', /minimum allowed size/],
  ])('refuses %s', (_name, overrides, size, code, message) => {
    expect(() => {
      check(overrides, size);
    }).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }));
  });

  it('refuses an expired policy', () => {
    expect(() => {
      check({}, undefined, new Date('2013-05-25T12:00:00Z'));
    }).toThrow(
      expect.objectContaining({ code: 'AccessDenied', message: 'Invalid according to Policy: Policy expired.' }),
    );
  });

  it.each([[{}], [{ acl: 'private', key: 'k' }]])('refuses %j, which is not one field', (condition) => {
    expect(() => parsePolicy(encode({ expiration: '2030-01-01T00:00:00Z', conditions: [condition] }))).toThrow(
      expect.objectContaining({ code: 'InvalidPolicyDocument' }),
    );
  });

  it('refuses a policy that does not name its bucket', () => {
    expect(() => {
      check({ policy: encode({ ...POLICY, conditions: POLICY.conditions.slice(1) }) });
    }).toThrow(expect.objectContaining({ code: 'AccessDenied', message: expect.stringContaining('bucket') as string }));
  });
});
