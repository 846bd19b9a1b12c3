import { describe, expect, it } from 'vitest';
import type { S3ErrorCode } from '../errors.js';
import type { WireHeader, WireRequest } from '../wire-request.js';
import { authenticate } from './authenticate.js';
import { staticCredentials } from './credentials.js';
import {
  authorization,
  EMPTY_SHA256,
  EXAMPLE_CREDENTIAL,
  exampleDeps,
  getWithRange,
  presignedGet,
  wire,
} from './testing/aws-examples.js';
import type { AuthenticationDeps } from './types.js';

const SIGNED = 'host;range;x-amz-content-sha256;x-amz-date';
const SIGNATURE = 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';

function withAuthorization(value: string): WireRequest {
  return getWithRange({ headers: [['authorization', value]] });
}

function withScope(scope: string): WireRequest {
  return withAuthorization(authorization(SIGNED, SIGNATURE, scope));
}

function without(request: WireRequest, name: string): WireRequest {
  return { ...request, headers: request.headers.filter(([each]) => each !== name) };
}

function at(time: string): Partial<AuthenticationDeps> {
  return { now: () => new Date(time) };
}

function replace(from: string, to: string): WireRequest {
  return presignedGet((query) => query.replace(from, to));
}

type Case = [
  name: string,
  request: WireRequest,
  code: S3ErrorCode,
  message: RegExp,
  deps?: Partial<AuthenticationDeps>,
];

async function expectFault(
  request: WireRequest,
  code: S3ErrorCode,
  message: RegExp,
  deps?: Partial<AuthenticationDeps>,
): Promise<void> {
  await expect(authenticate(request, exampleDeps(deps))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
}

describe('authenticate by header', () => {
  const cases: Case[] = [
    ['another path', getWithRange({ path: '/test2.txt' }), 'SignatureDoesNotMatch', /does not match/],
    ['a normalised path', getWithRange({ path: '//test.txt' }), 'SignatureDoesNotMatch', /does not match/],
    ['a changed signed header', getWithRange({ headers: [['range', 'bytes=0-99']] }), 'SignatureDoesNotMatch', /./],
    ['a short signature', withAuthorization(authorization(SIGNED, 'f0')), 'SignatureDoesNotMatch', /./],
    [
      'an unknown key',
      withAuthorization(authorization(SIGNED, SIGNATURE).replace('AKIA', 'AKIB')),
      'InvalidAccessKeyId',
      /does not exist/,
    ],
    [
      'another region',
      withScope('20130524/eu-west-1/s3/aws4_request'),
      'AuthorizationHeaderMalformed',
      /the region 'eu-west-1' is wrong; expecting 'us-east-1'/,
    ],
    [
      'another service',
      withScope('20130524/us-east-1/sts/aws4_request'),
      'AuthorizationHeaderMalformed',
      /incorrect service "sts"/,
    ],
    [
      'another terminal',
      withScope('20130524/us-east-1/s3/aws5_request'),
      'AuthorizationHeaderMalformed',
      /incorrect terminal/,
    ],
    [
      'another day',
      withScope('20130525/us-east-1/s3/aws4_request'),
      'AuthorizationHeaderMalformed',
      /Invalid credential date "20130525"/,
    ],
    [
      'a date that is none',
      withScope('2013-05-24/us-east-1/s3/aws4_request'),
      'AuthorizationHeaderMalformed',
      /incorrect date format/,
    ],
    ['a scope with parts missing', withScope('s3'), 'AuthorizationHeaderMalformed', /mal-formed/],
    [
      'no key id',
      withAuthorization(authorization(SIGNED, SIGNATURE).replace('AKIAIOSFODNN7EXAMPLE', '')),
      'AuthorizationHeaderMalformed',
      /non-empty Access Key/,
    ],
    ['no signature', withAuthorization(authorization(SIGNED, '')), 'AuthorizationHeaderMalformed', /missing Signature/],
    [
      'no signed headers',
      withAuthorization(authorization('', SIGNATURE)),
      'AuthorizationHeaderMalformed',
      /missing SignedHeaders/,
    ],
    ['SigV2', withAuthorization('AWS AKIAIOSFODNN7EXAMPLE:c2ln'), 'InvalidRequest', /Please use AWS4-HMAC-SHA256/],
    ['another scheme', withAuthorization('Bearer abc'), 'InvalidArgument', /Unsupported Authorization Type/],
    ['no date at all', without(getWithRange(), 'x-amz-date'), 'AccessDenied', /valid Date or x-amz-date/],
    [
      'an impossible date',
      getWithRange({ headers: [['x-amz-date', '20130230T000000Z']] }),
      'AccessDenied',
      /valid Date or x-amz-date/,
    ],
    ['no content hash', without(getWithRange(), 'x-amz-content-sha256'), 'InvalidRequest', /x-amz-content-sha256/],
    [
      'a content hash that is none',
      getWithRange({ headers: [['x-amz-content-sha256', 'abc']] }),
      'InvalidArgument',
      /x-amz-content-sha256 must be/,
    ],
    [
      'SigV4A streaming',
      getWithRange({ headers: [['x-amz-content-sha256', 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD']] }),
      'NotImplemented',
      /SigV4A/,
    ],
    ['a clock 16 minutes behind', getWithRange(), 'RequestTimeTooSkewed', /too large/, at('2013-05-24T00:16:00Z')],
    ['a clock 16 minutes ahead', getWithRange(), 'RequestTimeTooSkewed', /too large/, at('2013-05-23T23:44:00Z')],
    [
      'an unsigned x-amz header',
      getWithRange({ headers: [['x-amz-acl', 'public-read']] }),
      'AccessDenied',
      /not signed/,
    ],
    [
      'an unsigned host',
      withAuthorization(authorization('range;x-amz-content-sha256;x-amz-date', SIGNATURE)),
      'AccessDenied',
      /not signed/,
    ],
    [
      'a token that nobody configured',
      getWithRange({ headers: [['x-amz-security-token', 'token']] }),
      'InvalidToken',
      /malformed/,
    ],
    [
      'header and query at once',
      { ...getWithRange(), rawQuery: presignedGet().rawQuery },
      'InvalidArgument',
      /Only one auth mechanism/,
    ],
    [
      'signed chunks without a signature',
      wire('PUT', '/b/k', [['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']]),
      'InvalidRequest',
      /needs a signed request/,
    ],
  ];
  it.each(cases)('refuses %s', async (_name, request, code, message, deps) => {
    await expectFault(request, code, message, deps);
  });

  it('bears 15 minutes of skew either way', async () => {
    for (const time of ['2013-05-24T00:15:00Z', '2013-05-23T23:45:00Z'])
      await expect(authenticate(getWithRange(), exampleDeps(at(time)))).resolves.toBeDefined();
  });

  it('names both clocks when they are too far apart', async () => {
    await expect(authenticate(getWithRange(), exampleDeps(at('2013-05-24T01:00:00Z')))).rejects.toMatchObject({
      fields: {
        RequestTime: '20130524T000000Z',
        ServerTime: '2013-05-24T01:00:00Z',
        MaxAllowedSkewMilliseconds: '900000',
      },
    });
  });

  it('tells a client with a wrong signature what was signed', async () => {
    const fault = await authenticate(getWithRange({ path: '/other' }), exampleDeps()).catch((error: unknown) => error);
    expect(fault).toMatchObject({
      fields: {
        AWSAccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        SignatureProvided: SIGNATURE,
        StringToSign: expect.stringMatching(
          /^AWS4-HMAC-SHA256\n20130524T000000Z\n20130524\/us-east-1\/s3\/aws4_request\n[0-9a-f]{64}$/,
        ) as string,
        StringToSignBytes: expect.stringMatching(/^41 57 53 34/) as string,
        CanonicalRequest: `GET\n/other\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:${EMPTY_SHA256}\nx-amz-date:20130524T000000Z\n\n${SIGNED}\n${EMPTY_SHA256}`,
      },
    });
    expect(JSON.stringify(fault)).not.toContain(EXAMPLE_CREDENTIAL.secretAccessKey);
  });

  it('names the region to use', async () => {
    await expect(authenticate(withScope('20130524/eu-west-1/s3/aws4_request'), exampleDeps())).rejects.toMatchObject({
      fields: { Region: 'us-east-1' },
    });
  });

  it('accepts components separated by comma and space', async () => {
    const value = authorization(SIGNED, SIGNATURE).replaceAll(',', ', ');
    await expect(authenticate(withAuthorization(value), exampleDeps())).resolves.toMatchObject({ method: 'header' });
  });
});

describe('a proxy that rewrites Host', () => {
  const rewritten: WireHeader[] = [['host', 'backend:9000']];
  const externalUrls = [new URL('https://other.example.com'), new URL('https://examplebucket.s3.amazonaws.com')];

  it('is served where the external URL is configured', async () => {
    const request = getWithRange({ headers: rewritten });
    await expect(authenticate(request, exampleDeps({ externalUrls }))).resolves.toMatchObject({ method: 'header' });
  });

  it('is never guessed from X-Forwarded-Host', async () => {
    const request = getWithRange({ headers: [...rewritten, ['x-forwarded-host', 'examplebucket.s3.amazonaws.com']] });
    await expect(authenticate(request, exampleDeps())).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
  });
});

describe('authenticate by query', () => {
  const expires = (value: string) => replace('X-Amz-Expires=86400', `X-Amz-Expires=${value}`);
  const cases: Case[] = [
    ['a changed lifetime', expires('86401'), 'SignatureDoesNotMatch', /./],
    [
      'an added parameter',
      presignedGet((query) => `${query}&response-content-type=text%2Fhtml`),
      'SignatureDoesNotMatch',
      /./,
    ],
    ['an expired URL', presignedGet(), 'AccessDenied', /^Request has expired$/, at('2013-05-25T00:00:01Z')],
    ['a URL from the future', presignedGet(), 'AccessDenied', /not yet valid/, at('2013-05-23T23:00:00Z')],
    ['a lifetime of zero', expires('0'), 'AuthorizationQueryParametersError', /X-Amz-Expires/],
    ['a negative lifetime', expires('-1'), 'AuthorizationQueryParametersError', /non-negative/],
    ['a lifetime over a week', expires('604801'), 'AuthorizationQueryParametersError', /less than a week/],
    ['a lifetime that is no number', expires('1h'), 'AuthorizationQueryParametersError', /should be a number/],
    [
      'no lifetime',
      replace('&X-Amz-Expires=86400', ''),
      'AuthorizationQueryParametersError',
      /requires the X-Amz-Algorithm/,
    ],
    [
      'no algorithm',
      replace('X-Amz-Algorithm=AWS4-HMAC-SHA256&', ''),
      'AuthorizationQueryParametersError',
      /X-Amz-Algorithm only supports/,
    ],
    [
      'another algorithm',
      replace('HMAC-SHA256', 'HMAC-SHA1'),
      'AuthorizationQueryParametersError',
      /X-Amz-Algorithm only supports/,
    ],
    [
      'a malformed date',
      replace('X-Amz-Date=2013', 'X-Amz-Date=13'),
      'AuthorizationQueryParametersError',
      /ISO8601 Long Format/,
    ],
    [
      'another region',
      replace('us-east-1', 'eu-west-1'),
      'AuthorizationQueryParametersError',
      /the region 'eu-west-1' is wrong/,
    ],
    [
      'another day',
      replace('20130524%2F', '20130525%2F'),
      'AuthorizationQueryParametersError',
      /Invalid credential date/,
    ],
    ['an unknown key', replace('AKIA', 'AKIB'), 'InvalidAccessKeyId', /does not exist/],
    ['an escape that is not UTF-8', replace('AKIA', '%FF'), 'AuthorizationQueryParametersError', /mal-formed/],
    [
      'an unsigned x-amz header',
      { ...presignedGet(), headers: [...presignedGet().headers, ['x-amz-acl', 'private']] },
      'AccessDenied',
      /not signed/,
    ],
  ];
  it.each(cases)('refuses %s', async (_name, request, code, message, deps) => {
    await expectFault(request, code, message, deps);
  });

  it('lets a URL live as long as it says, not 15 minutes', async () => {
    const late = exampleDeps(at('2013-05-24T23:59:59Z'));
    await expect(authenticate(presignedGet(), late)).resolves.toMatchObject({ method: 'query' });
  });

  it('says when a URL expired', async () => {
    await expect(authenticate(presignedGet(), exampleDeps(at('2013-05-26T00:00:00Z')))).rejects.toMatchObject({
      fields: { 'X-Amz-Expires': '86400', Expires: '2013-05-25T00:00:00Z', ServerTime: '2013-05-26T00:00:00Z' },
    });
  });
});

describe('temporary credentials', () => {
  const credentials = staticCredentials([{ ...EXAMPLE_CREDENTIAL, sessionToken: 'the-token' }]);

  it('are unknown without their token', async () => {
    await expect(authenticate(getWithRange(), exampleDeps({ credentials }))).rejects.toMatchObject({
      code: 'InvalidAccessKeyId',
    });
  });

  it('are refused with another token', async () => {
    const request = getWithRange({ headers: [['x-amz-security-token', 'the-tokem']] });
    await expect(authenticate(request, exampleDeps({ credentials }))).rejects.toMatchObject({ code: 'InvalidToken' });
  });

  it('pass the token check with theirs, which must then be signed', async () => {
    const request = getWithRange({ headers: [['x-amz-security-token', 'the-token']] });
    await expect(authenticate(request, exampleDeps({ credentials }))).rejects.toMatchObject({
      code: 'AccessDenied',
      fields: { HeadersNotSigned: 'x-amz-security-token' },
    });
  });
});

describe('anonymous requests', () => {
  it('are the anonymous principal, with its rules', async () => {
    const anonymous = [{ actions: ['s3:GetObject'], resources: ['public/*'] }];
    const deps = exampleDeps({ credentials: staticCredentials([EXAMPLE_CREDENTIAL], anonymous) });
    const authenticated = await authenticate(wire('GET', '/public/a', [['host', 'h']]), deps);
    expect(authenticated).toMatchObject({
      method: 'anonymous',
      credentialName: 'anonymous',
      payload: { kind: 'unsigned' },
    });
    expect(authenticated.principal.allow).toBe(anonymous);
    expect(authenticated.accessKeyId).toBeUndefined();
  });
});

describe('staticCredentials', () => {
  it('refuses one access key id given twice', () => {
    expect(() => staticCredentials([EXAMPLE_CREDENTIAL, EXAMPLE_CREDENTIAL])).toThrow(RangeError);
  });
});
