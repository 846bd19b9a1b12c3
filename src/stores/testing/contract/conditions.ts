/** Contract: conditions on reads and writes, checksums, tags, copies and bucket documents. */
import { describe, expect, it } from 'vitest';
import { createHasher } from '../../../../s3-api/checksums/index.js';
import type { ChecksumAlgorithm, ObjectStore } from '../../../../s3-api/object-store.js';
import { bodyOf, connected, itNeeds, keysOf, md5, noise, PLAIN, put, read, type ContractContext } from './context.js';

const digest = (algorithm: ChecksumAlgorithm, bytes: Uint8Array) => {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest().toString('base64');
};

export function describeConditions(context: ContractContext): void {
  const { store, makeBucket } = context;

  describe('conditional reads', () => {
    it('answer NotModified or PreconditionFailed as the validators say', async () => {
      const bucket = await makeBucket();
      const { etag } = await put(store(), bucket, 'k', 'x');
      const past = new Date(Date.now() - 86_400_000);
      const future = new Date(Date.now() + 86_400_000);
      const both = async (conditions: object, code: string | undefined) => {
        for (const call of [
          async () => {
            await store().headObject(bucket, 'k', { conditions }, connected);
          },
          async () => {
            const { body } = await store().getObject(bucket, 'k', { conditions }, connected);
            if (!(body instanceof Uint8Array)) body.destroy();
          },
        ]) {
          if (code === undefined) await call();
          else await expect(call()).rejects.toMatchObject({ code });
        }
      };
      await both({ ifMatch: [etag] }, undefined);
      await both({ ifMatch: ['*'] }, undefined);
      await both({ ifMatch: [md5('other')] }, 'PreconditionFailed');
      await both({ ifNoneMatch: [etag] }, 'NotModified');
      await both({ ifNoneMatch: [md5('other')] }, undefined);
      await both({ ifModifiedSince: past }, undefined);
      await both({ ifUnmodifiedSince: past }, 'PreconditionFailed');
      await both({ ifUnmodifiedSince: future }, undefined);
      await both({ ifMatch: [etag], ifUnmodifiedSince: past }, undefined);
    });
  });

  describe('conditional writes', () => {
    const write = itNeeds(context, 'conditionalWrites');

    write('store a new key only where none is', async () => {
      const bucket = await makeBucket();
      const conditions = { ifNoneMatch: ['*'] };
      await put(store(), bucket, 'k', 'first', { conditions });
      await expect(put(store(), bucket, 'k', 'second', { conditions })).rejects.toMatchObject({
        code: 'PreconditionFailed',
      });
      expect((await read(store(), bucket, 'k')).toString()).toBe('first');
    });

    write('replace only what the client has seen', async () => {
      const bucket = await makeBucket();
      const { etag } = await put(store(), bucket, 'k', 'first');
      await put(store(), bucket, 'k', 'second', { conditions: { ifMatch: [etag] } });
      await expect(put(store(), bucket, 'k', 'third', { conditions: { ifMatch: [etag] } })).rejects.toMatchObject({
        code: 'PreconditionFailed',
      });
      await expect(put(store(), bucket, 'none', 'x', { conditions: { ifMatch: [etag] } })).rejects.toMatchObject({
        code: 'NoSuchKey',
      });
      expect((await read(store(), bucket, 'k')).toString()).toBe('second');
      expect(await keysOf(store(), bucket)).toEqual(['k']);
    });

    write('let exactly one of many create a key', async () => {
      const bucket = await makeBucket();
      const attempts = await Promise.allSettled(
        Array.from({ length: 12 }, (_, i) =>
          put(store(), bucket, 'lock', `owner ${i}`, { conditions: { ifNoneMatch: ['*'] } }),
        ),
      );
      expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    write('delete only what the client has seen', async () => {
      const bucket = await makeBucket();
      const { etag } = await put(store(), bucket, 'k', 'x');
      await expect(
        store().deleteObject(bucket, 'k', { conditions: { ifMatch: [md5('other')] } }, connected),
      ).rejects.toMatchObject({ code: 'PreconditionFailed' });
      expect(await keysOf(store(), bucket)).toEqual(['k']);
      await store().deleteObject(bucket, 'k', { conditions: { ifMatch: [etag] } }, connected);
      expect(await keysOf(store(), bucket)).toEqual([]);
    });
  });

  describe('checksums', () => {
    const bytes = noise(100_000, 3);

    it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
      '%s as the client gave it is kept',
      async (algorithm) => {
        const bucket = await makeBucket();
        const value = digest(algorithm, bytes);
        const checksum = { algorithm, value: () => value };
        const expected = [{ algorithm, type: 'FULL_OBJECT', value }];
        const result = await put(store(), bucket, 'k', bytes, { checksum });
        expect(result.checksums).toEqual(expected);
        expect((await store().headObject(bucket, 'k', {}, connected)).info.checksums).toEqual(expected);
      },
    );

    it('named without a value are computed', async () => {
      const bucket = await makeBucket();
      const checksum = { algorithm: 'SHA256', value: () => undefined } as const;
      await put(store(), bucket, 'k', bytes, { checksum });
      const { info } = await store().headObject(bucket, 'k', {}, connected);
      expect(info.checksums).toEqual([{ algorithm: 'SHA256', type: 'FULL_OBJECT', value: digest('SHA256', bytes) }]);
    });

    it('that come last, after the body, are kept', async () => {
      const bucket = await makeBucket();
      const body = bodyOf(bytes);
      let trailer: string | undefined;
      body.on('end', () => (trailer = digest('CRC32', bytes)));
      body.pause();
      const checksum = { algorithm: 'CRC32', value: () => trailer } as const;
      await store().putObject(bucket, 'k', body, { ...PLAIN, checksum }, connected);
      const { info } = await store().headObject(bucket, 'k', {}, connected);
      expect(info.checksums).toEqual([{ algorithm: 'CRC32', type: 'FULL_OBJECT', value: digest('CRC32', bytes) }]);
    });

    itNeeds(context, 'defaultChecksum')('are CRC64NVME where the client named none', async () => {
      const bucket = await makeBucket();
      await put(store(), bucket, 'k', bytes);
      const { info } = await store().headObject(bucket, 'k', {}, connected);
      expect(info.checksums).toEqual([
        { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value: digest('CRC64NVME', bytes) },
      ]);
    });
  });

  describe('tags', () => {
    it('are set with the object and afterwards, without touching its bytes', async () => {
      const bucket = await makeBucket();
      const { etag } = await put(store(), bucket, 'k', 'x', {
        tags: { one: '1', 'two words': 'a/b+c' },
        userMetadata: { m: '1' },
      });
      expect(await store().getObjectTags(bucket, 'k', connected)).toEqual({ one: '1', 'two words': 'a/b+c' });
      expect((await store().headObject(bucket, 'k', {}, connected)).info.tagCount).toBe(2);
      await store().putObjectTags(bucket, 'k', { three: '' }, connected);
      expect(await store().getObjectTags(bucket, 'k', connected)).toEqual({ three: '' });
      const { info } = await store().headObject(bucket, 'k', {}, connected);
      expect(info).toMatchObject({ etag, userMetadata: { m: '1' } });
      await store().putObjectTags(bucket, 'k', {}, connected);
      expect(await store().getObjectTags(bucket, 'k', connected)).toEqual({});
    });

    it('of a missing object are NoSuchKey', async () => {
      const bucket = await makeBucket();
      await expect(store().putObjectTags(bucket, 'none', { a: '1' }, connected)).rejects.toMatchObject({
        code: 'NoSuchKey',
      });
    });
  });

  describeCopies(context);

  describe('bucket documents', () => {
    const kept = itNeeds(context, 'documents');

    kept('are given back until they are removed', async () => {
      const bucket = await makeBucket();
      const policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` }],
      });
      const cors =
        '<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';
      const tagging =
        '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>';
      for (const [document, content, part] of [
        ['cors', cors, '<AllowedOrigin>*</AllowedOrigin>'],
        ['tagging', tagging, '<Key>a</Key>'],
        ['policy', policy, 's3:GetObject'],
      ] as const) {
        expect(await store().getBucketDocument(bucket, document, connected)).toBeUndefined();
        await store().putBucketDocument(bucket, document, content, connected);
        expect(await store().getBucketDocument(bucket, document, connected)).toContain(part);
        await store().putBucketDocument(bucket, document, undefined, connected);
        expect(await store().getBucketDocument(bucket, document, connected)).toBeUndefined();
      }
    });

    kept('of a missing bucket are NoSuchBucket', async () => {
      await expect(store().getBucketDocument('no-such-bucket-anywhere', 'cors', connected)).rejects.toMatchObject({
        code: 'NoSuchBucket',
      });
    });
  });
}

function describeCopies(context: ContractContext): void {
  const { store, makeBucket } = context;
  const source = async (): Promise<{ bucket: string; etag: string; store: ObjectStore }> => {
    const bucket = await makeBucket();
    const systemMetadata = { contentType: 'text/plain' };
    const { etag } = await put(store(), bucket, 'from', 'the bytes', {
      systemMetadata,
      userMetadata: { a: '1' },
      tags: { t: '1' },
    });
    return { bucket, etag, store: store() };
  };

  describe('copies', () => {
    it('carry bytes, metadata and tags', async () => {
      const { bucket, etag } = await source();
      const other = await makeBucket();
      const result = await store().copyObject({ bucket, key: 'from' }, other, 'to/here', {}, connected);
      expect(result.etag).toBe(etag);
      expect((await read(store(), other, 'to/here')).toString()).toBe('the bytes');
      const { info } = await store().headObject(other, 'to/here', {}, connected);
      expect(info).toMatchObject({ systemMetadata: { contentType: 'text/plain' }, userMetadata: { a: '1' } });
      expect(await store().getObjectTags(other, 'to/here', connected)).toEqual({ t: '1' });
    });

    it('replace metadata and tags where asked', async () => {
      const { bucket } = await source();
      const replaceMetadata = { systemMetadata: { contentType: 'image/png' }, userMetadata: { b: '2' } };
      await store().copyObject(
        { bucket, key: 'from' },
        bucket,
        'to',
        { replaceMetadata, replaceTags: { u: '2' } },
        connected,
      );
      const { info } = await store().headObject(bucket, 'to', {}, connected);
      expect(info.systemMetadata.contentType).toBe('image/png');
      expect(info.userMetadata).toEqual({ b: '2' });
      expect(await store().getObjectTags(bucket, 'to', connected)).toEqual({ u: '2' });
    });

    it('onto itself change metadata and keep the bytes', async () => {
      const { bucket, etag } = await source();
      const replaceMetadata = { systemMetadata: { contentType: 'image/png' }, userMetadata: { b: '2' } };
      const result = await store().copyObject({ bucket, key: 'from' }, bucket, 'from', { replaceMetadata }, connected);
      expect(result.etag).toBe(etag);
      expect((await read(store(), bucket, 'from')).toString()).toBe('the bytes');
      expect((await store().headObject(bucket, 'from', {}, connected)).info.userMetadata).toEqual({ b: '2' });
    });

    itNeeds(context, 'refusesIdleCopy')('onto itself with nothing changed are InvalidRequest', async () => {
      const { bucket } = await source();
      await expect(store().copyObject({ bucket, key: 'from' }, bucket, 'from', {}, connected)).rejects.toMatchObject({
        code: 'InvalidRequest',
      });
    });

    it('hold to conditions on their source', async () => {
      const { bucket, etag } = await source();
      const copy = (conditions: object) =>
        store().copyObject({ bucket, key: 'from', conditions }, bucket, 'to', {}, connected);
      await copy({ ifMatch: [etag] });
      await expect(copy({ ifMatch: [md5('other')] })).rejects.toMatchObject({ code: 'PreconditionFailed' });
      await expect(copy({ ifNoneMatch: [etag] })).rejects.toMatchObject({ code: 'PreconditionFailed' });
    });

    it('of a missing object are NoSuchKey', async () => {
      const bucket = await makeBucket();
      await expect(store().copyObject({ bucket, key: 'none' }, bucket, 'to', {}, connected)).rejects.toMatchObject({
        code: 'NoSuchKey',
      });
    });
  });
}
