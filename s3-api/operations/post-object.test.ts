import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY, send, startTestServer, type TestServer } from '../testing/test-server.js';

const bucket = 'forms';
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({}, []);
  await server.store.createBucket(bucket);
});
afterAll(() => server.close());

const TIMESTAMP = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
const SCOPE = `${TIMESTAMP.slice(0, 8)}/us-east-1/s3/aws4_request`;

function signedFields(conditions: readonly unknown[], expiresInMs = 60_000): Record<string, string> {
  const credential = `${ACCESS_KEY_ID}/${SCOPE}`;
  const document = {
    expiration: new Date(Date.now() + expiresInMs).toISOString(),
    conditions: [
      { bucket },
      { 'x-amz-algorithm': 'AWS4-HMAC-SHA256' },
      { 'x-amz-credential': credential },
      { 'x-amz-date': TIMESTAMP },
      ...conditions,
    ],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString('base64');
  const key = SCOPE.split('/').reduce<Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from(`AWS4${SECRET_ACCESS_KEY}`),
  );
  return {
    policy,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': credential,
    'x-amz-date': TIMESTAMP,
    'x-amz-signature': createHmac('sha256', key).update(policy).digest('hex'),
  };
}

function upload(fields: Record<string, string>, content = 'hello', fileName = 'C:\\cats\\tom.png') {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([content]), fileName);
  return send(`${server.url}/${bucket}`, { method: 'POST', body: form });
}

const ANY_KEY = ['starts-with', '$key', ''];

describe('a browser form', () => {
  it('is held to the checksum that a field states of the file', async () => {
    const form = (name: string, value: string) => {
      const fields = signedFields([ANY_KEY, ['starts-with', `$${name}`, '']]);
      return upload({ ...fields, key: 'checked', [name]: value });
    };
    expect((await form('x-amz-checksum-crc32', 'AAAAAA==')).code).toBe('BadDigest');
    expect((await form('x-amz-checksum-crc32', 'short')).code).toBe('InvalidRequest');
    expect((await form('x-amz-checksum-sum', 'AAAAAA==')).code).toBe('InvalidRequest');
    const accepted = await form('x-amz-checksum-crc32', 'NhCmhg==');
    expect([accepted.status, accepted.headers.get('x-amz-checksum-crc32')]).toEqual([204, 'NhCmhg==']);
  });

  it('stores the file under the key, with the file name filled in', async () => {
    const answer = await upload({ ...signedFields([ANY_KEY]), key: 'in/${filename}' });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('location')).toBe(`${server.url}/${bucket}/in/tom.png`);
    const stored = await server.store.getObject(bucket, 'in/tom.png', {});
    expect(Buffer.from(stored.body as Uint8Array).toString()).toBe('hello');
  });

  it('takes metadata, type and tags from the fields before the file', async () => {
    const fields = {
      'content-type': 'image/png',
      'x-amz-meta-who': 'tom',
      tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
    };
    const any = Object.keys(fields).map((name) => ['starts-with', `$${name}`, '']);
    await upload({ ...signedFields([ANY_KEY, ...any]), key: 'dressed', ...fields });
    const { info } = await server.store.headObject(bucket, 'dressed', {});
    expect(info).toMatchObject({
      systemMetadata: { contentType: 'image/png' },
      userMetadata: { who: 'tom' },
      tagCount: 1,
    });
  });

  it('answers 201 with a document, or a redirect, where asked', async () => {
    const created = await upload({
      ...signedFields([ANY_KEY, { success_action_status: '201' }]),
      key: 'a b',
      success_action_status: '201',
    });
    const etag = createHash('md5').update('hello').digest('hex');
    expect(created.status).toBe(201);
    expect(created.text).toContain(`<Bucket>${bucket}</Bucket><Key>a b</Key><ETag>&quot;${etag}&quot;</ETag>`);
    const target = 'https://example.com/done?x=1';
    const redirected = await upload({
      ...signedFields([ANY_KEY, { success_action_redirect: target }]),
      key: 'k',
      success_action_redirect: target,
    });
    expect(redirected.status).toBe(303);
    const location = new URL(redirected.headers.get('location') ?? '');
    expect(Object.fromEntries(location.searchParams)).toEqual({ x: '1', bucket, key: 'k', etag: `"${etag}"` });
  });

  it.each([
    ['an expired policy', () => signedFields([ANY_KEY], -1000), 'hello', 403, 'AccessDenied'],
    [
      'a key that the policy does not allow',
      () => signedFields([['starts-with', '$key', 'other/']]),
      'hello',
      403,
      'AccessDenied',
    ],
    [
      'a field that the policy does not name',
      () => ({ ...signedFields([ANY_KEY]), 'x-amz-meta-a': 'b' }),
      'hello',
      403,
      'AccessDenied',
    ],
    [
      'a forged signature',
      () => ({ ...signedFields([ANY_KEY]), 'x-amz-signature': '0'.repeat(64) }),
      'hello',
      403,
      'SignatureDoesNotMatch',
    ],
    ['no policy from an anonymous caller', () => ({}), 'hello', 403, 'AccessDenied'],
    [
      'a file that is too long',
      () => signedFields([ANY_KEY, ['content-length-range', 0, 4]]),
      'hello',
      400,
      'EntityTooLarge',
    ],
    [
      'a file that is too short',
      () => signedFields([ANY_KEY, ['content-length-range', 9, 99]]),
      'hello',
      400,
      'EntityTooSmall',
    ],
    ['no file', () => signedFields([ANY_KEY]), undefined, 400, 'InvalidArgument'],
  ])('refuses %s and stores nothing', async (_name, fields, content, status, code) => {
    const form = { ...fields(), key: 'refused' };
    const answer = content === undefined ? await withoutFile(form) : await upload(form, content);
    expect([answer.status, answer.code]).toEqual([status, code]);
    await expect(server.store.headObject(bucket, 'refused', {})).rejects.toMatchObject({ code: 'NoSuchKey' });
  });

  const withoutFile = (fields: Record<string, string>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return send(`${server.url}/${bucket}`, { method: 'POST', body: form });
  };

  it('refuses fields of over 20 KB', async () => {
    const answer = await upload({ ...signedFields([ANY_KEY]), key: 'k', 'x-ignore-a': 'x'.repeat(21_000) });
    expect(answer.code).toBe('MaxPostPreDataLengthExceededError');
  });

  it('refuses another content type, a form without key, and a form that is cut off', async () => {
    const plain = await send(`${server.url}/${bucket}`, { method: 'POST', body: 'x' });
    expect([plain.status, plain.code]).toEqual([412, 'PreconditionFailed']);
    expect((await upload(signedFields([ANY_KEY]))).code).toBe('InvalidArgument');
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const body = '--b\r\ncontent-disposition: form-data; name="key"\r\n\r\nk\r\n--b\r\ncontent-dis';
    expect((await send(`${server.url}/${bucket}`, { method: 'POST', body, headers })).code).toBe(
      'MalformedPOSTRequest',
    );
  });
});
