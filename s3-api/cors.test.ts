import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send, startTestServer, type TestServer } from './testing/test-server.js';

const bucket = 'web';
let server: TestServer;
let url: string;

beforeAll(async () => {
  server = await startTestServer({}, [{ actions: ['s3:GetObject'], resources: ['*'] }]);
  url = `${server.url}/${bucket}/page`;
  await server.store.createBucket(bucket);
  await server.store.putBucketDocument(
    bucket,
    'cors',
    `<CORSConfiguration>
      <CORSRule>
        <AllowedOrigin>https://*.shop.example</AllowedOrigin>
        <AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>
        <AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader>
        <ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-request-id</ExposeHeader>
        <MaxAgeSeconds>600</MaxAgeSeconds>
      </CORSRule>
      <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>
    </CORSConfiguration>`,
  );
});
afterAll(() => server.close());

const preflight = (headers: Record<string, string>, target = url) => send(target, { method: 'OPTIONS', headers });
const shop = 'https://www.shop.example';

describe('a preflight', () => {
  it('is granted by the first rule that matches, without credentials', async () => {
    const answer = await preflight({
      origin: shop,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'X-Amz-Date, content-type',
    });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': shop,
      'access-control-allow-methods': 'PUT, GET',
      'access-control-allow-headers': 'x-amz-date, content-type',
      'access-control-expose-headers': 'ETag, x-amz-request-id',
      'access-control-max-age': '600',
      'access-control-allow-credentials': 'true',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    });
  });

  it.each([
    ['another method', { origin: shop, 'access-control-request-method': 'DELETE' }, 403, 'AccessForbidden'],
    [
      'another origin',
      { origin: 'https://shop.example', 'access-control-request-method': 'PUT' },
      403,
      'AccessForbidden',
    ],
    [
      'another header',
      { origin: shop, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-other' },
      403,
      'AccessForbidden',
    ],
    ['no origin', { 'access-control-request-method': 'PUT' }, 400, 'BadRequest'],
    ['no method', { origin: shop }, 400, 'BadRequest'],
    ['a method that is none', { origin: shop, 'access-control-request-method': 'BREW' }, 400, 'BadRequest'],
  ])('is refused for %s', async (_name, headers, status, code) => {
    const answer = await preflight(headers);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.headers.has('access-control-allow-origin')).toBe(false);
  });

  it('is refused where the bucket has no rules or is not there', async () => {
    await server.store.createBucket('plain');
    const headers = { origin: shop, 'access-control-request-method': 'GET' };
    for (const name of ['plain', 'absent'])
      expect((await preflight(headers, `${server.url}/${name}/x`)).code).toBe('AccessForbidden');
  });
});

describe('an answer', () => {
  it('carries the grant for its origin, errors too', async () => {
    const any = await send(url, { headers: { origin: 'https://elsewhere.example' } });
    expect(any.code).toBe('NoSuchKey');
    expect(any.headers.get('access-control-allow-origin')).toBe('*');
    expect(any.headers.has('access-control-allow-credentials')).toBe(false);
    const mine = await send(url, { headers: { origin: shop } });
    expect(mine.headers.get('access-control-allow-origin')).toBe(shop);
    const denied = await send(url, { method: 'PUT', body: 'x', headers: { origin: shop } });
    expect([denied.code, denied.headers.get('access-control-allow-origin')]).toEqual(['AccessDenied', shop]);
  });

  it('carries none without an Origin or without a rule', async () => {
    expect((await send(url)).headers.has('access-control-allow-origin')).toBe(false);
    const answer = await send(url, { method: 'DELETE', headers: { origin: shop } });
    expect(answer.headers.has('access-control-allow-origin')).toBe(false);
  });
});
