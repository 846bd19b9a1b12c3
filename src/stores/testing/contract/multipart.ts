/** Contract: multipart uploads. */
import { describe, expect, it } from 'vitest';
import { createHasher, multipartChecksum } from '../../../../s3-api/checksums/index.js';
import type { CreateMultipartOptions } from '../../../../s3-api/object-store.js';
import {
  bodyOf,
  bytesOf,
  connected,
  failingBody,
  itNeeds,
  keysOf,
  md5,
  noise,
  PLAIN,
  put,
  read,
  type ContractContext,
} from './context.js';

const MIB = 1 << 20;

export function describeMultipart(context: ContractContext): void {
  const { store, makeBucket } = context;

  const start = async (key: string, options: Partial<CreateMultipartOptions> = {}) => {
    const bucket = await makeBucket();
    const { uploadId } = await store().createMultipartUpload(bucket, key, { ...PLAIN, ...options }, connected);
    const part = (partNumber: number, bytes: Uint8Array) =>
      store().uploadPart(bucket, key, uploadId, partNumber, bodyOf(bytes), { contentLength: bytes.length }, connected);
    const complete = (parts: readonly { partNumber: number; etag: string }[], options: object = {}) =>
      store().completeMultipartUpload(bucket, key, uploadId, parts, options, connected);
    return { bucket, uploadId, part, complete };
  };

  describe('multipart uploads', () => {
    it('join their parts by number and keep the metadata of their creation', async () => {
      const options = { systemMetadata: { contentType: 'video/x' }, userMetadata: { a: '1' }, tags: { t: '1' } };
      const { bucket, part, complete } = await start('big', options);
      const [first, second] = [noise(5 * MIB, 1), noise(1000, 2)];
      const two = await part(7, second);
      const one = await part(2, first);
      expect(one.etag).toBe(md5(first));
      expect(await keysOf(store(), bucket)).toEqual([]);
      const { etag } = await complete([one, two]);
      expect(etag).toBe(`${md5(Buffer.concat([first, second].map((bytes) => Buffer.from(md5(bytes), 'hex'))))}-2`);
      expect(md5(await read(store(), bucket, 'big'))).toBe(md5(Buffer.concat([first, second])));
      const { info } = await store().headObject(bucket, 'big', {}, connected);
      expect(info).toMatchObject({
        size: 5 * MIB + 1000,
        etag,
        systemMetadata: { contentType: 'video/x' },
        userMetadata: { a: '1' },
      });
      expect(await store().getObjectTags(bucket, 'big', connected)).toEqual({ t: '1' });
      expect((await store().listMultipartUploads(bucket, { maxUploads: 10 }, connected)).uploads).toEqual([]);
    });

    itNeeds(context, 'partReads')('can be read part by part', async () => {
      const { bucket, part, complete } = await start('big');
      const bytes = [noise(5 * MIB, 1), noise(1000, 2)] as const;
      await complete([await part(1, bytes[0]), await part(2, bytes[1])]);
      const second = await store().getObject(bucket, 'big', { partNumber: 2 }, connected);
      expect(await bytesOf(second.body)).toEqual(bytes[1]);
      expect(second).toMatchObject({ range: { first: 5 * MIB, last: 5 * MIB + 999 }, info: { partsCount: 2 } });
      await expect(store().getObject(bucket, 'big', { partNumber: 3 }, connected)).rejects.toMatchObject({
        code: 'InvalidPartNumber',
      });
    });

    it('complete with whatever each part was answered with, also where no checksum was asked for', async () => {
      const { bucket, part, complete } = await start('large');
      const bytes = [noise(9 * MIB, 3), noise(1000, 4)] as const;
      await complete([await part(1, bytes[0]), await part(2, bytes[1])]);
      expect(md5(await read(store(), bucket, 'large'))).toBe(md5(Buffer.concat(bytes)));
    });

    it('take the last of several bodies for one part', async () => {
      const { bucket, part, complete } = await start('k');
      await part(1, Buffer.from('first'));
      const again = await part(1, Buffer.from('second'));
      await complete([again]);
      expect((await read(store(), bucket, 'k')).toString()).toBe('second');
    });

    it('refuse parts out of order', async () => {
      const { bucket, part, complete } = await start('k');
      const one = await part(1, noise(5 * MIB));
      const two = await part(2, noise(5 * MIB));
      await expect(complete([two, one])).rejects.toMatchObject({ code: 'InvalidPartOrder' });
      expect(await keysOf(store(), bucket)).toEqual([]);
    });

    it('refuse parts that are unknown or too small, and stay as they were', async () => {
      const { bucket, uploadId, part, complete } = await start('k');
      const one = await part(1, Buffer.from('small'));
      const two = await part(2, Buffer.from('also small'));
      await expect(complete([{ partNumber: 3, etag: one.etag }])).rejects.toMatchObject({ code: 'InvalidPart' });
      await expect(complete([{ partNumber: 1, etag: md5('x') }])).rejects.toMatchObject({ code: 'InvalidPart' });
      await expect(complete([one, two])).rejects.toMatchObject({ code: 'EntityTooSmall' });
      expect(await keysOf(store(), bucket)).toEqual([]);
      const { parts } = await store().listParts(bucket, 'k', uploadId, { maxParts: 10 }, connected);
      expect(parts.map(({ partNumber }) => partNumber)).toEqual([1, 2]);
      await complete([two]);
      expect((await read(store(), bucket, 'k')).toString()).toBe('also small');
    });

    it('list their parts page by page', async () => {
      const { bucket, uploadId, part } = await start('k', { userMetadata: {} });
      for (const n of [3, 1, 10, 2]) await part(n, Buffer.from(`part ${n}`));
      const first = await store().listParts(bucket, 'k', uploadId, { maxParts: 3 }, connected);
      expect(first.parts.map(({ partNumber, size, etag }) => [partNumber, size, etag])).toEqual(
        [1, 2, 3].map((n) => [n, 6, md5(`part ${n}`)]),
      );
      expect(first).toMatchObject({ isTruncated: true, nextPartNumberMarker: 3, upload: { key: 'k', uploadId } });
      const rest = await store().listParts(bucket, 'k', uploadId, { maxParts: 3, partNumberMarker: 3 }, connected);
      expect(rest.parts.map(({ partNumber }) => partNumber)).toEqual([10]);
      expect(rest.isTruncated).toBe(false);
    });

    it('are listed until they are aborted', async () => {
      const { bucket, uploadId, part } = await start('f/k');
      const { uploadId: other } = await store().createMultipartUpload(bucket, 'z', PLAIN, connected);
      await part(1, Buffer.from('x'));
      const listing = await store().listMultipartUploads(bucket, { maxUploads: 10 }, connected);
      expect(listing.uploads.map((upload) => [upload.key, upload.uploadId])).toEqual([
        ['f/k', uploadId],
        ['z', other],
      ]);
      const rolledUp = await store().listMultipartUploads(bucket, { maxUploads: 10, delimiter: '/' }, connected);
      expect(rolledUp.commonPrefixes).toEqual(['f/']);
      const firstPage = await store().listMultipartUploads(bucket, { maxUploads: 1 }, connected);
      expect(firstPage).toMatchObject({ isTruncated: true, nextKeyMarker: 'f/k' });
      await store().abortMultipartUpload(bucket, 'f/k', uploadId, connected);
      const left = await store().listMultipartUploads(bucket, { maxUploads: 10 }, connected);
      expect(left.uploads.map(({ key }) => key)).toEqual(['z']);
      const gone = { code: 'NoSuchUpload' };
      await expect(part(2, Buffer.from('x'))).rejects.toMatchObject(gone);
      await expect(store().listParts(bucket, 'f/k', uploadId, { maxParts: 1 }, connected)).rejects.toMatchObject(gone);
      await expect(store().abortMultipartUpload(bucket, 'f/k', uploadId, connected)).rejects.toMatchObject(gone);
    });

    it('keep no part whose body fails', async () => {
      const { bucket, uploadId } = await start('k');
      const error = new Error('truncated');
      await expect(
        store().uploadPart(bucket, 'k', uploadId, 1, failingBody('some', error), { contentLength: 100 }, connected),
      ).rejects.toBe(error);
      expect((await store().listParts(bucket, 'k', uploadId, { maxParts: 10 }, connected)).parts).toEqual([]);
    });

    it('copy ranges of other objects as parts', async () => {
      const { bucket, uploadId, complete } = await start('k');
      const bytes = noise(6 * MIB, 9);
      await put(store(), bucket, 'source', bytes);
      const source = { bucket, key: 'source' };
      const one = await store().uploadPartCopy(
        { ...source, range: { kind: 'from', first: 0, last: 5 * MIB - 1 } },
        bucket,
        'k',
        uploadId,
        1,
        {},
        connected,
      );
      const two = await store().uploadPartCopy(
        { ...source, range: { kind: 'from', first: 5 * MIB, last: 6 * MIB - 1 } },
        bucket,
        'k',
        uploadId,
        2,
        {},
        connected,
      );
      await complete([one, two]);
      expect(md5(await read(store(), bucket, 'k'))).toBe(md5(bytes));
    });

    it('copy no range that does not lie inside its source', async () => {
      const { bucket, uploadId } = await start('k');
      await put(store(), bucket, 'source', noise(1000));
      const range = { kind: 'from', first: 0, last: 1000 } as const;
      const source = { bucket, key: 'source', range };
      await expect(store().uploadPartCopy(source, bucket, 'k', uploadId, 1, {}, connected)).rejects.toMatchObject({
        code: 'InvalidArgument',
      });
    });

    itNeeds(context, 'conditionalWrites')('complete only where their condition holds', async () => {
      const { bucket, part, complete } = await start('k');
      await put(store(), bucket, 'k', 'there');
      const one = await part(1, Buffer.from('x'));
      await expect(complete([one], { conditions: { ifNoneMatch: ['*'] } })).rejects.toMatchObject({
        code: 'PreconditionFailed',
      });
      await complete([one], { conditions: { ifMatch: [md5('there')] } });
      expect((await read(store(), bucket, 'k')).toString()).toBe('x');
    });

    itNeeds(context, 'repeatedComplete')('answer a repeated Complete again', async () => {
      const { part, complete } = await start('k');
      const one = await part(1, Buffer.from('x'));
      const { etag } = await complete([one]);
      expect((await complete([one])).etag).toBe(etag);
    });

    itNeeds(context, 'objectParts')('tell the sizes of their parts afterwards', async () => {
      const { bucket, part, complete } = await start('k', { checksumAlgorithm: 'CRC32', checksumType: 'FULL_OBJECT' });
      await complete([await part(1, noise(5 * MIB)), await part(4, noise(999))]);
      const listed = await store().listObjectParts(bucket, 'k', connected);
      expect(listed.map(({ partNumber, size }) => [partNumber, size])).toEqual([
        [1, 5 * MIB],
        [4, 999],
      ]);
      await put(store(), bucket, 'plain', 'x');
      expect(await store().listObjectParts(bucket, 'plain', connected)).toEqual([]);
    });

    itNeeds(context, 'multipartChecksums')('have composite and full-object checksums', async () => {
      const bytes = [noise(5 * MIB, 1), noise(999, 2)] as const;
      for (const [checksumAlgorithm, checksumType] of [
        ['SHA256', 'COMPOSITE'],
        ['CRC32', 'COMPOSITE'],
        ['CRC32C', 'FULL_OBJECT'],
        ['CRC64NVME', 'FULL_OBJECT'],
      ] as const) {
        const { bucket, uploadId } = await start('k', { checksumAlgorithm, checksumType });
        const parts = [];
        for (const [i, body] of bytes.entries()) {
          const hasher = createHasher(checksumAlgorithm);
          hasher.update(body);
          const value = hasher.digest().toString('base64');
          const checksum = { algorithm: checksumAlgorithm, value: () => value };
          const part = await store().uploadPart(
            bucket,
            'k',
            uploadId,
            i + 1,
            bodyOf(body),
            { contentLength: body.length, checksum },
            connected,
          );
          parts.push({ ...part, value, checksums: [{ algorithm: checksumAlgorithm, value }] });
        }
        const expected = multipartChecksum(checksumAlgorithm, checksumType, parts);
        const result = await store().completeMultipartUpload(bucket, 'k', uploadId, parts, {}, connected);
        expect(result.checksums).toEqual([expected]);
        const { info } = await store().headObject(bucket, 'k', {}, connected);
        expect(info.checksums).toEqual([expected]);
      }
    });
  });
}
