import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  AbortMultipartUploadCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHasher } from '../checksums/index.js';
import { send, startTestServer, type TestServer } from '../testing/test-server.js';

const Bucket = 'uploads';
const FIRST = randomBytes(5 * 1024 * 1024);
const LAST = randomBytes(1000);
let server: TestServer;
let base: string;

beforeAll(async () => {
  server = await startTestServer();
  base = `${server.url}/${Bucket}`;
  await server.store.createBucket(Bucket);
});
afterAll(() => server.close());

function crc32(bytes: Buffer): Buffer {
  const hasher = createHasher('CRC32');
  hasher.update(bytes);
  return Buffer.from(hasher.digest());
}

async function start(Key: string): Promise<string> {
  const { UploadId } = await server.s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'image/png' }),
  );
  return UploadId ?? '';
}

async function part(Key: string, UploadId: string, PartNumber: number, Body: Buffer): Promise<string> {
  const { ETag } = await server.s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  return ETag ?? '';
}

const complete = (
  key: string,
  uploadId: string,
  parts: readonly (readonly [number | string, string])[],
  headers = {},
) =>
  send(`${base}/${key}?uploadId=${uploadId}`, {
    method: 'POST',
    headers,
    body: `<CompleteMultipartUpload>${parts
      .map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
      .join('')}</CompleteMultipartUpload>`,
  });

describe('a multipart upload', () => {
  it.each([
    ['FULL_OBJECT', (whole: Buffer) => crc32(whole), ''],
    ['COMPOSITE', (_whole: Buffer, digests: readonly Buffer[]) => crc32(Buffer.concat(digests)), '-2'],
  ] as const)(
    'is held to the %s checksum that Complete states of the whole',
    async (ChecksumType, checksumOf, suffix) => {
      const Key = `checked-${ChecksumType}`;
      const target = { Bucket, Key };
      const algorithm = { ChecksumAlgorithm: 'CRC32', ChecksumType } as const;
      const { UploadId } = await server.s3.send(new CreateMultipartUploadCommand({ ...target, ...algorithm }));
      const bodies = [FIRST, LAST];
      const Parts: CompletedPart[] = [];
      for (const [index, Body] of bodies.entries()) {
        const PartNumber = index + 1;
        const sent = new UploadPartCommand({ ...target, UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32' });
        const { ETag, ChecksumCRC32 } = await server.s3.send(sent);
        Parts.push({ PartNumber, ETag, ChecksumCRC32 });
      }
      const finish = (ChecksumCRC32: string) =>
        server.s3.send(
          new CompleteMultipartUploadCommand({
            ...target,
            UploadId,
            ChecksumCRC32,
            ChecksumType,
            MultipartUpload: { Parts },
          }),
        );
      const value = `${checksumOf(Buffer.concat(bodies), bodies.map(crc32)).toString('base64')}${suffix}`;
      await expect(finish(`AAAAAA==${suffix}`)).rejects.toMatchObject({ name: 'BadDigest' });
      expect(await finish(value)).toMatchObject({ ChecksumCRC32: value, ChecksumType });
    },
  );

  it('becomes an object with the parts in order, each of which can be read by its number', async () => {
    const Key = 'whole';
    const UploadId = await start(Key);
    const etags = [await part(Key, UploadId, 1, FIRST), await part(Key, UploadId, 7, LAST)];
    const done = await server.s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [1, 7].map((PartNumber, index) => ({ PartNumber, ETag: etags[index] })) },
      }),
    );
    const digests = Buffer.concat([FIRST, LAST].map((bytes) => createHash('md5').update(bytes).digest()));
    expect(done.ETag).toBe(`"${createHash('md5').update(digests).digest('hex')}-2"`);
    expect(done.Location).toBe(`${base}/${Key}`);
    const got = await server.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Buffer.concat([FIRST, LAST]))).toBe(true);
    expect(got.ContentType).toBe('image/png');
    const last = await send(`${base}/${Key}?partNumber=7`, { method: 'HEAD' });
    expect(last.status).toBe(206);
    expect(last.headers.get('x-amz-mp-parts-count')).toBe('2');
    expect(last.headers.get('content-range')).toBe(
      `bytes ${FIRST.length}-${FIRST.length + 999}/${FIRST.length + 1000}`,
    );
    expect((await send(`${base}/${Key}?partNumber=8`)).code).toBe('InvalidPartNumber');
    const attributes = await server.s3.send(
      new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectParts'], MaxParts: 1 }),
    );
    expect(attributes.ObjectParts).toMatchObject({ TotalPartsCount: 2, IsTruncated: true, NextPartNumberMarker: '1' });
  });

  it('has a composite checksum where the parts have one', async () => {
    const Key = 'composite';
    const { UploadId } = await server.s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'SHA256' }),
    );
    const uploaded = await server.s3.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: LAST, ChecksumAlgorithm: 'SHA256' }),
    );
    const sha = createHash('sha256').update(LAST).digest();
    expect(uploaded.ChecksumSHA256).toBe(sha.toString('base64'));
    const done = await server.s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: uploaded.ETag, ChecksumSHA256: uploaded.ChecksumSHA256 }] },
      }),
    );
    expect(done).toMatchObject({
      ChecksumSHA256: `${createHash('sha256').update(sha).digest('base64')}-1`,
      ChecksumType: 'COMPOSITE',
    });
  });

  it('takes parts from other objects, whole or a range', async () => {
    await server.s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: '0123456789' }));
    const Key = 'copied';
    const UploadId = await start(Key);
    const copied = await server.s3.send(
      new UploadPartCopyCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/source`,
        CopySourceRange: 'bytes=2-5',
      }),
    );
    expect((await complete(Key, UploadId, [[1, copied.CopyPartResult?.ETag ?? '']])).status).toBe(200);
    expect((await send(`${base}/${Key}`)).text).toBe('2345');
  });

  it.each(['bytes=2-', 'bytes=-2', '2-5', 'bytes=5-2'])('refuses the copy range %s', async (range) => {
    await server.s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: '0123456789' }));
    const uploadId = await start('x');
    const answer = await send(`${base}/x?partNumber=1&uploadId=${uploadId}`, {
      method: 'PUT',
      headers: { 'x-amz-copy-source': `${Bucket}/source`, 'x-amz-copy-source-range': range },
    });
    expect([answer.status, answer.code]).toEqual([400, 'InvalidArgument']);
  });

  it('lists its parts page by page', async () => {
    const Key = 'parts';
    const UploadId = await start(Key);
    for (const number of [1, 2, 3]) await part(Key, UploadId, number, LAST);
    const first = await server.s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }));
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2', MaxParts: 2 });
    const rest = await server.s3.send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: '2' }));
    expect(rest.Parts).toMatchObject([{ PartNumber: 3, Size: 1000 }]);
    expect(rest.IsTruncated).toBe(false);
  });

  it('is listed until it is aborted', async () => {
    const Key = 'tree/leaf';
    const UploadId = await start(Key);
    const list = () => server.s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'tree/' }));
    expect((await list()).Uploads).toMatchObject([{ Key, UploadId, StorageClass: 'STANDARD' }]);
    const rolled = await server.s3.send(new ListMultipartUploadsCommand({ Bucket, Delimiter: '/', Prefix: 'tr' }));
    expect(rolled.CommonPrefixes).toEqual([{ Prefix: 'tree/' }]);
    await server.s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    expect((await list()).Uploads ?? []).toEqual([]);
    expect((await send(`${base}/${Key}?uploadId=${UploadId}`, { method: 'DELETE' })).code).toBe('NoSuchUpload');
  });

  it('completes on condition, and stays as it was where the condition fails', async () => {
    const key = 'conditional';
    await server.s3.send(new PutObjectCommand({ Bucket, Key: key, Body: 'old' }));
    const uploadId = await start(key);
    const etag = await part(key, uploadId, 1, LAST);
    expect((await complete(key, uploadId, [[1, etag]], { 'if-none-match': '*' })).code).toBe('PreconditionFailed');
    expect((await send(`${base}/${key}`)).text).toBe('old');
    expect((await complete(key, uploadId, [[1, etag]])).status).toBe(200);
  });

  it.each([
    ['no parts', [], {}, 400, 'MalformedXML'],
    [
      'parts out of order',
      [
        [2, 'b'],
        [1, 'a'],
      ],
      {},
      400,
      'InvalidPartOrder',
    ],
    [
      'a part twice',
      [
        [1, 'a'],
        [1, 'a'],
      ],
      {},
      400,
      'InvalidPartOrder',
    ],
    ['a wrong ETag', [[1, '"00000000000000000000000000000000"']], {}, 400, 'InvalidPart'],
    ['a part that was never uploaded', [[9, 'x']], {}, 400, 'InvalidPart'],
    [
      'a small part before the last',
      [
        [1, 'FIRST'],
        [2, 'FIRST'],
      ],
      {},
      400,
      'EntityTooSmall',
    ],
    ['part number 0', [[0, 'x']], {}, 400, 'InvalidArgument'],
    ['a part number that is none', [['one', 'x']], {}, 400, 'MalformedXML'],
    ['another size', [[1, 'FIRST']], { 'x-amz-mp-object-size': '5' }, 400, 'InvalidRequest'],
    ['another checksum', [[1, 'FIRST']], { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 400, 'BadDigest'],
    ['a checksum type that is none', [[1, 'FIRST']], { 'x-amz-checksum-type': 'HALF' }, 400, 'InvalidRequest'],
  ] as const)('refuses to complete with %s', async (_name, parts, headers, status, code) => {
    const uploadId = await start('refused');
    const etag = await part('refused', uploadId, 1, LAST);
    await part('refused', uploadId, 2, LAST);
    const named = parts.map(([number, tag]) => [number, tag === 'FIRST' ? etag : tag] as const);
    const answer = await complete('refused', uploadId, named, headers);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await send(`${base}/refused?uploadId=${uploadId}`)).status).toBe(200);
    expect((await send(`${base}/refused`)).status).toBe(404);
  });

  it.each([
    ['PUT', 'partNumber=1&uploadId=absent', 404, 'NoSuchUpload'],
    ['PUT', 'partNumber=1&uploadId=', 404, 'NoSuchUpload'],
    ['PUT', 'partNumber=0&uploadId=x', 400, 'InvalidArgument'],
    ['PUT', 'partNumber=10001&uploadId=x', 400, 'InvalidArgument'],
    ['PUT', 'partNumber=a&uploadId=x', 400, 'InvalidArgument'],
    ['GET', 'uploadId=absent', 404, 'NoSuchUpload'],
    ['GET', 'uploadId=absent&max-parts=-1', 400, 'InvalidArgument'],
    ['DELETE', 'uploadId=absent', 404, 'NoSuchUpload'],
  ])('answers %s ?%s with %d %s', async (method, query, status, code) => {
    const answer = await send(`${base}/any?${query}`, { method, ...(method === 'PUT' && { body: 'x' }) });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it.each([
    ['COMPOSITE', 'CRC64NVME'],
    ['FULL_OBJECT', 'SHA1'],
    ['FULL_OBJECT', undefined],
    [undefined, 'MD6'],
  ])('refuses to start with checksum type %s of %s', async (type, algorithm) => {
    const headers = {
      ...(type !== undefined && { 'x-amz-checksum-type': type }),
      ...(algorithm !== undefined && { 'x-amz-checksum-algorithm': algorithm }),
    };
    expect((await send(`${base}/any?uploads`, { method: 'POST', headers })).code).toBe('InvalidRequest');
  });
});
