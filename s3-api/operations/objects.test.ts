import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { send, startTestServer, type TestServer } from '../testing/test-server.js';

const Bucket = 'pictures';
const ETAG = createHash('md5').update('0123456789').digest('hex');
let server: TestServer;
let base: string;

beforeAll(async () => {
  server = await startTestServer();
  base = `${server.url}/${Bucket}`;
  await server.store.createBucket(Bucket);
});
afterAll(() => server.close());
beforeEach(async () => {
  await server.s3.send(new PutObjectCommand({ Bucket, Key: 'digits', Body: '0123456789', ContentType: 'text/plain' }));
});

describe('reading an object', () => {
  const future = new Date(Date.now() + 3_600_000).toUTCString();
  const past = 'Sat, 01 Jan 2000 00:00:00 GMT';
  const cases: readonly [
    name: string,
    headers: Record<string, string>,
    status: number,
    code?: string | undefined,
    body?: string,
  ][] = [
    ['the whole object', {}, 200, undefined, '0123456789'],
    ['a range', { range: 'bytes=2-4' }, 206, undefined, '234'],
    ['an open range', { range: 'bytes=7-' }, 206, undefined, '789'],
    ['a suffix range', { range: 'bytes=-3' }, 206, undefined, '789'],
    ['a range that ends beyond the object', { range: 'bytes=8-99' }, 206, undefined, '89'],
    ['several ranges, which are ignored', { range: 'bytes=0-1,3-4' }, 200, undefined, '0123456789'],
    ['a reversed range, which is ignored', { range: 'bytes=4-2' }, 200, undefined, '0123456789'],
    ['a range of another unit, which is ignored', { range: 'lines=1-2' }, 200, undefined, '0123456789'],
    ['a range that starts beyond the object', { range: 'bytes=10-' }, 416, 'InvalidRange'],
    ['a suffix of no bytes', { range: 'bytes=-0' }, 416, 'InvalidRange'],
    ['a matching If-Match', { 'if-match': `"${ETAG}"` }, 200, undefined, '0123456789'],
    ['If-Match without quotes', { 'if-match': ETAG }, 200, undefined, '0123456789'],
    ['If-Match: *', { 'if-match': '*' }, 200, undefined, '0123456789'],
    ['an If-Match that does not match', { 'if-match': '"other"' }, 412, 'PreconditionFailed'],
    ['a matching If-None-Match', { 'if-none-match': `"x", "${ETAG}"` }, 304],
    ['an If-None-Match that does not match', { 'if-none-match': '"other"' }, 200, undefined, '0123456789'],
    ['If-Modified-Since before the change', { 'if-modified-since': past }, 200, undefined, '0123456789'],
    ['If-Modified-Since after the change', { 'if-modified-since': future }, 304],
    ['If-Unmodified-Since before the change', { 'if-unmodified-since': past }, 412, 'PreconditionFailed'],
    [
      'If-Match over If-Unmodified-Since',
      { 'if-match': ETAG, 'if-unmodified-since': past },
      200,
      undefined,
      '0123456789',
    ],
    [
      'If-None-Match over If-Modified-Since',
      { 'if-none-match': '"x"', 'if-modified-since': future },
      200,
      undefined,
      '0123456789',
    ],
    ['a date that is none', { 'if-modified-since': 'yesterday' }, 200, undefined, '0123456789'],
  ];

  it.each(cases)('answers %s', async (_name, headers, status, code, body) => {
    const answer = await send(`${base}/digits`, { headers });
    expect(answer.status).toBe(status);
    expect(answer.code).toBe(code);
    if (body !== undefined) {
      expect(answer.text).toBe(body);
      expect(answer.headers.get('content-length')).toBe(String(body.length));
    }
    const head = await send(`${base}/digits`, { method: 'HEAD', headers });
    expect(head.status).toBe(status);
    expect(head.text).toBe('');
    if (status < 300)
      for (const name of ['content-length', 'content-range', 'etag', 'last-modified', 'content-type', 'accept-ranges'])
        expect(head.headers.get(name)).toBe(answer.headers.get(name));
  });

  it('names the range and the size in InvalidRange', async () => {
    const answer = await send(`${base}/digits`, { headers: { range: 'bytes=20-30' } });
    expect(answer.text).toContain('<RangeRequested>bytes=20-30</RangeRequested>');
    expect(answer.text).toContain('<ActualObjectSize>10</ActualObjectSize>');
    expect(answer.headers.get('content-range')).toBe('bytes */10');
  });

  it('repeats the validators with 304 and sends no body', async () => {
    const answer = await send(`${base}/digits`, { headers: { 'if-none-match': ETAG } });
    expect(answer.headers.get('etag')).toBe(`"${ETAG}"`);
    expect(answer.headers.get('last-modified')).not.toBeNull();
    expect(answer.text).toBe('');
  });

  it.each([
    ['a missing key', '/absent', 404, 'NoSuchKey'],
    ['a missing bucket', '/../absent-bucket/key', 404, 'NoSuchBucket'],
    ['an impossible bucket name', '/../a_/key', 400, 'InvalidBucketName'],
    ['a key over 1024 bytes', `/${'k'.repeat(1025)}`, 400, 'KeyTooLongError'],
    ['a version that cannot be', '/digits?versionId=abc', 400, 'InvalidArgument'],
    ['an empty version', '/digits?versionId=', 400, 'InvalidArgument'],
    ['part number 0', '/digits?partNumber=0', 400, 'InvalidArgument'],
    ['part number 10001', '/digits?partNumber=10001', 400, 'InvalidArgument'],
    ['a part that is not there', '/digits?partNumber=2', 416, 'InvalidPartNumber'],
    ['a path that is not UTF-8', '/%ff', 400, 'InvalidURI'],
    ['an unknown sub-resource', '/digits?torrent', 501, 'NotImplemented'],
    ['a sub-resource invented later', '/digits?hologram', 501, 'NotImplemented'],
  ])('refuses %s', async (_name, path, status, code) => {
    const url = path.startsWith('/..') ? `${server.url}${path.slice(3)}` : `${base}${path}`;
    const answer = await send(url);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it('refuses a range together with a part number', async () => {
    const answer = await send(`${base}/digits?partNumber=1`, { headers: { range: 'bytes=0-1' } });
    expect([answer.status, answer.code]).toEqual([400, 'InvalidRequest']);
  });

  it('takes response overrides from signed requests only', async () => {
    const answer = await server.s3.send(
      new GetObjectCommand({
        Bucket,
        Key: 'digits',
        ResponseContentType: 'image/png',
        ResponseCacheControl: 'no-store',
      }),
    );
    expect([answer.ContentType, answer.CacheControl]).toEqual(['image/png', 'no-store']);
    const anonymous = await send(`${base}/digits?response-content-type=image/png`);
    expect([anonymous.status, anonymous.code]).toEqual([400, 'InvalidRequest']);
  });

  it('answers version null as the object itself', async () => {
    expect((await send(`${base}/digits?versionId=null`)).text).toBe('0123456789');
  });
});

describe('writing an object', () => {
  it('gives back system and user metadata, tags and the storage class', async () => {
    await server.s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'dressed',
        Body: 'x',
        ContentType: 'image/webp',
        ContentEncoding: 'gzip',
        ContentLanguage: 'de',
        ContentDisposition: 'attachment; filename="a.webp"',
        CacheControl: 'max-age=60',
        Expires: new Date('2030-01-01T00:00:00Z'),
        Metadata: { colour: 'red', 'two-words': 'a b' },
        Tagging: 'a=1&b=%20',
        StorageClass: 'STANDARD_IA',
      }),
    );
    const head = await server.s3.send(new HeadObjectCommand({ Bucket, Key: 'dressed' }));
    expect(head).toMatchObject({
      ContentType: 'image/webp',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ContentDisposition: 'attachment; filename="a.webp"',
      CacheControl: 'max-age=60',
      ExpiresString: 'Tue, 01 Jan 2030 00:00:00 GMT',
      Metadata: { colour: 'red', 'two-words': 'a b' },
      TagCount: 2,
      StorageClass: 'STANDARD_IA',
      ContentLength: 1,
    });
  });

  it('says binary/octet-stream where no type was given', async () => {
    await send(`${base}/untyped`, { method: 'PUT', body: Buffer.from('x') });
    expect((await send(`${base}/untyped`)).headers.get('content-type')).toBe('binary/octet-stream');
  });

  it('takes raw UTF-8 and encoded words in metadata and answers encoded words', async () => {
    for (const value of [Buffer.from('grün').toString('latin1'), '=?UTF-8?Q?gr=C3=BCn?=', '=?utf-8?B?Z3LDvG4=?=']) {
      await send(`${base}/unicode`, { method: 'PUT', body: 'x', headers: { 'x-amz-meta-word': value } });
      expect((await send(`${base}/unicode`)).headers.get('x-amz-meta-word')).toBe('=?UTF-8?B?Z3LDvG4=?=');
    }
  });

  it('answers checksums only in checksum mode, and never with a range', async () => {
    await server.s3.send(new PutObjectCommand({ Bucket, Key: 'sum', Body: 'abc', ChecksumAlgorithm: 'SHA256' }));
    const sha256 = createHash('sha256').update('abc').digest('base64');
    const mode = { 'x-amz-checksum-mode': 'ENABLED' };
    const whole = await send(`${base}/sum`, { headers: mode });
    expect(whole.headers.get('x-amz-checksum-sha256')).toBe(sha256);
    expect(whole.headers.get('x-amz-checksum-type')).toBe('FULL_OBJECT');
    expect((await send(`${base}/sum`)).headers.has('x-amz-checksum-sha256')).toBe(false);
    const range = await send(`${base}/sum`, { headers: { ...mode, range: 'bytes=0-1' } });
    expect(range.headers.has('x-amz-checksum-sha256')).toBe(false);
  });

  it.each([
    ['metadata over 2 KB', { 'x-amz-meta-a': 'x'.repeat(2048) }, 400, 'MetadataTooLarge'],
    ['an unknown storage class', { 'x-amz-storage-class': 'FLOPPY' }, 400, 'InvalidStorageClass'],
    ['a public ACL', { 'x-amz-acl': 'public-read' }, 400, 'AccessControlListNotSupported'],
    ['an ACL that is none', { 'x-amz-acl': 'everyone' }, 400, 'InvalidArgument'],
    ['a grant', { 'x-amz-grant-read': 'id="1"' }, 400, 'AccessControlListNotSupported'],
    ['a tag that is too long', { 'x-amz-tagging': `k=${'v'.repeat(257)}` }, 400, 'InvalidTag'],
    ['a tag twice', { 'x-amz-tagging': 'k=1&k=2' }, 400, 'InvalidArgument'],
    ['eleven tags', { 'x-amz-tagging': 'abcdefghijk'.split('').join('&') }, 400, 'BadRequest'],
    ['object lock', { 'x-amz-object-lock-mode': 'GOVERNANCE' }, 400, 'InvalidRequest'],
    ['a wrong Content-MD5', { 'content-md5': createHash('md5').update('y').digest('base64') }, 400, 'BadDigest'],
    ['a Content-MD5 that is none', { 'content-md5': 'abc' }, 400, 'InvalidDigest'],
    ['a wrong checksum', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 400, 'BadDigest'],
    ['If-None-Match with an entity tag', { 'if-none-match': '"x"' }, 501, 'NotImplemented'],
    ['If-Match on nothing', { 'if-match': '"x"' }, 404, 'NoSuchKey'],
    ['an append', { 'x-amz-write-offset-bytes': '3' }, 501, 'NotImplemented'],
  ])('refuses %s and stores nothing', async (_name, headers, status, code) => {
    const answer = await send(`${base}/refused`, { method: 'PUT', body: 'x', headers });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await send(`${base}/refused`)).status).toBe(404);
  });

  it('writes on condition', async () => {
    const put = (headers: Record<string, string>) => send(`${base}/digits`, { method: 'PUT', body: 'new', headers });
    expect((await put({ 'if-none-match': '*' })).code).toBe('PreconditionFailed');
    expect((await put({ 'if-match': '"other"' })).code).toBe('PreconditionFailed');
    expect((await send(`${base}/digits`)).text).toBe('0123456789');
    expect((await put({ 'if-match': ETAG })).status).toBe(200);
    expect((await send(`${base}/digits`)).text).toBe('new');
  });

  it.each(['a b', 'a+b', 'a%2Fb', '/lead', 'x//y', '../up', 'ümlaut/漢字/😀', "quote'(1)*!~", '.', 'a\\b', 'q?x=1#f'])(
    'keeps the key %j',
    async (Key) => {
      await server.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      const got = await server.s3.send(new GetObjectCommand({ Bucket, Key }));
      expect(await got.Body?.transformToString()).toBe(Key);
      expect((await server.store.headObject(Bucket, Key, {})).info.key).toBe(Key);
    },
  );
});

describe('copying an object', () => {
  const copy = (headers: Record<string, string>, key = 'copy') =>
    send(`${base}/${key}`, { method: 'PUT', headers: { 'x-amz-copy-source': `/${Bucket}/digits`, ...headers } });

  it('copies bytes and metadata, or replaces the metadata', async () => {
    await server.s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/digits` }));
    expect((await send(`${base}/copy`)).headers.get('content-type')).toBe('text/plain');
    const replaced = await server.s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'copy',
        CopySource: `${Bucket}/digits`,
        MetadataDirective: 'REPLACE',
        ContentType: 'image/png',
        Metadata: { a: 'b' },
      }),
    );
    expect(replaced.CopyObjectResult?.ETag).toBe(`"${ETAG}"`);
    const answer = await send(`${base}/copy`);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(answer.headers.get('x-amz-meta-a')).toBe('b');
  });

  it('reads an escaped source with a version', async () => {
    await server.s3.send(new PutObjectCommand({ Bucket, Key: 'odd +%2F', Body: 'odd' }));
    const source = encodeURIComponent(`${Bucket}/odd +%2F`);
    expect((await copy({ 'x-amz-copy-source': `${source}?versionId=null` })).status).toBe(200);
    expect((await send(`${base}/copy`)).text).toBe('odd');
  });

  it.each([
    ['a source without a key', { 'x-amz-copy-source': Bucket }, 400, 'InvalidArgument'],
    ['a source that is not there', { 'x-amz-copy-source': `${Bucket}/absent` }, 404, 'NoSuchKey'],
    ['a source bucket that is not there', { 'x-amz-copy-source': 'absent-bucket/digits' }, 404, 'NoSuchBucket'],
    ['an unknown directive', { 'x-amz-metadata-directive': 'MERGE' }, 400, 'InvalidArgument'],
    ['a source that changed', { 'x-amz-copy-source-if-match': '"x"' }, 412, 'PreconditionFailed'],
    ['a source that did not change', { 'x-amz-copy-source-if-none-match': ETAG }, 412, 'PreconditionFailed'],
    [
      'a source newer than a date',
      { 'x-amz-copy-source-if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
      412,
      'PreconditionFailed',
    ],
  ])('refuses %s', async (_name, headers, status, code) => {
    const answer = await copy(headers);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it('refuses a copy onto itself that changes nothing', async () => {
    const answer = await copy({}, 'digits');
    expect([answer.status, answer.code]).toEqual([400, 'InvalidRequest']);
    expect((await copy({ 'x-amz-metadata-directive': 'REPLACE' }, 'digits')).status).toBe(200);
  });
});

describe('deleting objects', () => {
  it('answers 204 whether or not the key was there', async () => {
    expect((await send(`${base}/digits`, { method: 'DELETE' })).status).toBe(204);
    expect((await send(`${base}/digits`, { method: 'DELETE' })).status).toBe(204);
    expect((await send(`${base}/digits?versionId=null`, { method: 'DELETE' })).status).toBe(204);
  });

  it('deletes on condition', async () => {
    const wrong = new DeleteObjectCommand({ Bucket, Key: 'digits', IfMatch: '"other"' });
    await expect(server.s3.send(wrong)).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await server.s3.send(new DeleteObjectCommand({ Bucket, Key: 'digits', IfMatch: `"${ETAG}"` }));
    expect((await send(`${base}/digits`)).status).toBe(404);
  });

  it('deletes many, and says which unless asked to be quiet', async () => {
    const Objects = [{ Key: 'digits' }, { Key: 'absent <&>' }];
    const loud = await server.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(loud.Deleted).toEqual(Objects);
    const quiet = await server.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    expect(quiet.Deleted).toBeUndefined();
    expect(quiet.Errors).toBeUndefined();
  });

  it('reports what could not be deleted beside what was', async () => {
    const Objects = [{ Key: 'digits', ETag: '"other"' }, { Key: 'k'.repeat(1025) }, { Key: 'fine' }];
    const { Deleted, Errors } = await server.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors?.map(({ Code }) => Code)).toEqual(['PreconditionFailed', 'KeyTooLongError']);
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['fine']);
  });

  const entries = (count: number) => '<Object><Key>a</Key></Object>'.repeat(count);
  it.each([
    ['no digest', `<Delete>${entries(1)}</Delete>`, {}, 'InvalidRequest'],
    ['over 1000 keys', `<Delete>${entries(1001)}</Delete>`, undefined, 'MalformedXML'],
    ['no key', '<Delete></Delete>', undefined, 'MalformedXML'],
    ['another root', `<Remove>${entries(1)}</Remove>`, undefined, 'MalformedXML'],
    ['broken XML', `<Delete>${entries(1)}`, undefined, 'MalformedXML'],
    ['a DOCTYPE', `<!DOCTYPE a [<!ENTITY b "c">]><Delete>${entries(1)}</Delete>`, undefined, 'MalformedXML'],
  ])('refuses a document with %s', async (_name, body, given, code) => {
    const headers = given ?? { 'content-md5': createHash('md5').update(body).digest('base64') };
    const answer = await send(`${base}?delete`, { method: 'POST', body, headers });
    expect([answer.status, answer.code]).toEqual([400, code]);
  });
});

describe('attributes of an object', () => {
  it('answers those that were asked for', async () => {
    const answer = await server.s3.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'digits', ObjectAttributes: ['ETag', 'ObjectSize', 'Checksum'] }),
    );
    expect(answer).toMatchObject({ ETag: ETAG, ObjectSize: 10, Checksum: { ChecksumType: 'FULL_OBJECT' } });
    expect(answer.StorageClass).toBeUndefined();
  });

  it.each([
    ['an unknown attribute', 'digits', { 'x-amz-object-attributes': 'Colour' }, 400, 'InvalidArgument'],
    ['no attribute', 'digits', {}, 400, 'InvalidArgument'],
    ['a missing key', 'absent', { 'x-amz-object-attributes': 'ETag' }, 404, 'NoSuchKey'],
  ])('refuses %s', async (_name, key, headers, status, code) => {
    const answer = await send(`${base}/${key}?attributes`, { headers });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });
});
