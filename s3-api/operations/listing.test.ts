import {
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareKeys } from '../key-order.js';
import { send, startTestServer, type TestServer } from '../testing/test-server.js';

const Bucket = 'library';
const KEYS = ['a/1', 'a/2', 'b', 'b/1', 'b/2/x', 'c d', 'c+d', 'é', '\uffee', '😀'];
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  for (const name of [Bucket, 'attic', 'zoo']) await server.store.createBucket(name);
  for (const Key of KEYS) await server.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});
afterAll(() => server.close());

describe('listing objects', () => {
  it('lists in the order of UTF-8 bytes, whatever UTF-16 says', async () => {
    const { Contents = [] } = await server.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map(({ Key }) => Key)).toEqual(KEYS);
    expect([...KEYS].sort().at(-1)).not.toBe('😀');
    expect(Contents[2]).toMatchObject({ Key: 'b', Size: 1, StorageClass: 'STANDARD' });
    expect(Contents[2]?.Owner).toBeUndefined();
  });

  it.each([
    { Prefix: 'b' },
    { Prefix: 'b/', Delimiter: '/' },
    { Delimiter: '/' },
    { Delimiter: '/', Prefix: 'a' },
    { Delimiter: 'd' },
    { Prefix: 'nothing' },
    {},
  ])('gives the same entries page by page as at once for %j', async (where) => {
    const whole = await server.s3.send(new ListObjectsV2Command({ Bucket, ...where }));
    const expected = [
      ...(whole.Contents ?? []).map(({ Key }) => Key),
      ...(whole.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
    ];
    for (const MaxKeys of [1, 2, 3]) {
      const keys: (string | undefined)[] = [];
      const pages = paginateListObjectsV2({ client: server.s3 }, { Bucket, ...where, MaxKeys });
      for await (const page of pages) {
        expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys);
        keys.push(
          ...(page.Contents ?? []).map(({ Key }) => Key),
          ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        );
      }
      const sorted = (list: (string | undefined)[]) => list.map((key) => key ?? '').sort(compareKeys);
      expect(sorted(keys)).toEqual(sorted(expected));
    }
  });

  it('rolls keys up at the delimiter', async () => {
    const answer = await server.s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/' }));
    expect(answer.CommonPrefixes).toEqual([{ Prefix: 'a/' }, { Prefix: 'b/' }]);
    expect(answer.Contents?.map(({ Key }) => Key)).toEqual(['b', 'c d', 'c+d', 'é', '\uffee', '😀']);
    expect(answer.Contents?.[0]?.Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
  });

  it('goes on after a marker, and names the next one only with a delimiter', async () => {
    const first = await server.s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1 }));
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'a/' });
    const second = await server.s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1, Marker: 'a/' }));
    expect(second.Contents?.[0]?.Key).toBe('b');
    const plain = await server.s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 1 }));
    expect(plain.IsTruncated).toBe(true);
    expect(plain.NextMarker).toBeUndefined();
  });

  it('starts after a key that need not exist', async () => {
    const answer = await server.s3.send(new ListObjectsV2Command({ Bucket, StartAfter: 'b/1zzz', FetchOwner: true }));
    expect(answer.Contents?.[0]).toMatchObject({ Key: 'b/2/x', Owner: { DisplayName: 'latentbox' } });
    expect(answer.StartAfter).toBe('b/1zzz');
  });

  it('encodes keys for encoding-type=url as S3 does', async () => {
    const { text } = await send(`${server.url}/${Bucket}?encoding-type=url&prefix=c`);
    expect(text).toContain('<Key>c+d</Key>');
    expect(text).toContain('<Key>c%2Bd</Key>');
    expect(text).toContain('<EncodingType>url</EncodingType>');
  });

  it('answers no keys for max-keys 0, and is not truncated', async () => {
    const { text } = await send(`${server.url}/${Bucket}?list-type=2&max-keys=0`);
    expect(text).toContain('<KeyCount>0</KeyCount>');
    expect(text).toContain('<IsTruncated>false</IsTruncated>');
  });

  it('caps max-keys at 1000', async () => {
    expect((await send(`${server.url}/${Bucket}?max-keys=5000`)).text).toContain('<MaxKeys>1000</MaxKeys>');
  });

  it('writes control characters as references', async () => {
    await server.s3.send(new PutObjectCommand({ Bucket: 'zoo', Key: 'a\u0001<&>\r', Body: '' }));
    const { text } = await send(`${server.url}/zoo`);
    expect(text).toContain('<Key>a&#x1;&lt;&amp;&gt;&#xd;</Key>');
  });

  it.each([
    ['max-keys=-1', 'InvalidArgument'],
    ['max-keys=many', 'InvalidArgument'],
    ['encoding-type=base64', 'InvalidArgument'],
    ['list-type=2&continuation-token=', 'InvalidArgument'],
    ['list-type=2&continuation-token=forged', 'InvalidArgument'],
    ['versions&version-id-marker=null', 'InvalidArgument'],
  ])('refuses %s', async (query, code) => {
    const answer = await send(`${server.url}/${Bucket}?${query}`);
    expect([answer.status, answer.code]).toEqual([400, code]);
  });

  it.each(['', '?list-type=2', '?versions', '?uploads'])('says NoSuchBucket for GET /absent%s', async (query) => {
    const answer = await send(`${server.url}/absent${query}`);
    expect([answer.status, answer.code]).toEqual([404, 'NoSuchBucket']);
    expect(answer.text).toContain('<BucketName>absent</BucketName>');
  });
});

describe('listing versions', () => {
  it('shows each object as its only version', async () => {
    const first = await server.s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1 }));
    expect(first.Versions).toMatchObject([{ Key: 'a/1', VersionId: 'null', IsLatest: true }]);
    expect(first).toMatchObject({ IsTruncated: true, NextKeyMarker: 'a/1', NextVersionIdMarker: 'null' });
    const rest = await server.s3.send(
      new ListObjectVersionsCommand({ Bucket, KeyMarker: 'a/1', VersionIdMarker: 'null', Delimiter: '/' }),
    );
    expect(rest.Versions?.map(({ Key }) => Key)).toEqual(['b', 'c d', 'c+d', 'é', '\uffee', '😀']);
  });
});

describe('listing buckets', () => {
  it('pages and filters', async () => {
    const all = await server.s3.send(new ListBucketsCommand({}));
    expect(all.Buckets?.map(({ Name }) => Name)).toEqual(['attic', 'library', 'zoo']);
    const first = await server.s3.send(new ListBucketsCommand({ MaxBuckets: 2 }));
    expect(first.Buckets).toHaveLength(2);
    const next = await server.s3.send(
      new ListBucketsCommand({ MaxBuckets: 2, ContinuationToken: first.ContinuationToken }),
    );
    expect(next.Buckets?.map(({ Name }) => Name)).toEqual(['zoo']);
    expect(next.ContinuationToken).toBeUndefined();
    const filtered = await server.s3.send(new ListBucketsCommand({ Prefix: 'li' }));
    expect(filtered).toMatchObject({ Prefix: 'li', Buckets: [{ Name: 'library' }] });
    expect((await server.s3.send(new ListBucketsCommand({ BucketRegion: 'eu-west-1' }))).Buckets ?? []).toEqual([]);
  });

  it.each(['max-buckets=0', 'max-buckets=10001', 'continuation-token='])('refuses %s', async (query) => {
    expect((await send(`${server.url}/?${query}`)).code).toBe('InvalidArgument');
  });
});
