/** Contract: buckets, and objects put, read and deleted. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
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

export function describeObjects(context: ContractContext): void {
  const { store, makeBucket } = context;

  describe('buckets', () => {
    it('are listed with their day of creation and are gone when deleted', async () => {
      const bucket = await makeBucket();
      const found = (await store().listBuckets(connected)).find(({ name }) => name === bucket);
      expect(Math.abs((found?.creationDate.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
      await store().deleteBucket(bucket, connected);
      expect((await store().listBuckets(connected)).map(({ name }) => name)).not.toContain(bucket);
      await expect(store().headBucket(bucket, connected)).rejects.toMatchObject({ code: 'NoSuchBucket' });
      await expect(store().deleteBucket(bucket, connected)).rejects.toMatchObject({ code: 'NoSuchBucket' });
    });

    it('cannot be made twice', async () => {
      const bucket = await makeBucket();
      await store().headBucket(bucket, connected);
      await expect(store().createBucket(bucket, connected)).rejects.toMatchObject({ code: 'BucketAlreadyOwnedByYou' });
    });

    it('cannot be deleted with an object in them', async () => {
      const bucket = await makeBucket();
      await put(store(), bucket, 'x', 'x');
      await expect(store().deleteBucket(bucket, connected)).rejects.toMatchObject({ code: 'BucketNotEmpty' });
      expect(await keysOf(store(), bucket)).toEqual(['x']);
    });

    it('that do not exist are named in every error', async () => {
      const missing = 'no-such-bucket-anywhere';
      const expected = { code: 'NoSuchBucket' };
      await expect(put(store(), missing, 'k', 'x')).rejects.toMatchObject(expected);
      await expect(store().getObject(missing, 'k', {}, connected)).rejects.toMatchObject(expected);
      // An answer to HEAD has no body that could say which of the two is missing.
      await expect(store().headObject(missing, 'k', {}, connected)).rejects.toMatchObject({ status: 404 });
      await expect(store().deleteObject(missing, 'k', {}, connected)).rejects.toMatchObject(expected);
      await expect(store().listObjects(missing, { maxKeys: 10 }, connected)).rejects.toMatchObject(expected);
      await expect(store().createMultipartUpload(missing, 'k', PLAIN, connected)).rejects.toMatchObject(expected);
    });
  });

  describe('objects', () => {
    it.each([0, 1, 65_536, 3_000_000])('of %d bytes come back as they were put', async (size) => {
      const bucket = await makeBucket();
      const bytes = noise(size, size + 1);
      const { etag } = await put(store(), bucket, 'folder/object.bin', bytes);
      expect(etag).toBe(md5(bytes));
      const { info, body, range } = await store().getObject(bucket, 'folder/object.bin', {}, connected);
      expect(md5(await bytesOf(body))).toBe(md5(bytes));
      expect(range).toBeUndefined();
      expect(info).toMatchObject({ key: 'folder/object.bin', size, etag });
      expect(Math.abs(info.lastModified.getTime() - Date.now())).toBeLessThan(60_000);
      const head = await store().headObject(bucket, 'folder/object.bin', {}, connected);
      expect(head.info).toMatchObject({ size, etag });
    });

    it('of unknown length are stored whole', async () => {
      const bucket = await makeBucket();
      const bytes = noise(12_000_000, 5);
      await store().putObject(bucket, 'unknown', bodyOf(bytes), PLAIN, connected);
      expect(md5(await read(store(), bucket, 'unknown'))).toBe(md5(bytes));
      await store().putObject(bucket, 'empty', bodyOf(''), PLAIN, connected);
      expect(await read(store(), bucket, 'empty')).toHaveLength(0);
    });

    // S3 takes no chunk of less than 8 KiB but the last (InvalidChunkSizeError); clients send pieces of any size.
    it('that arrive in small and uneven pieces are stored whole, however large', async () => {
      const bucket = await makeBucket();
      const bytes = noise(9 << 20, 6);
      const pieces = Readable.from(uneven(bytes), { objectMode: false });
      const options = { ...PLAIN, contentLength: bytes.byteLength };
      await store().putObject(bucket, 'pieces', pieces, options, connected);
      expect(md5(await read(store(), bucket, 'pieces'))).toBe(md5(bytes));
    });

    it('keep system and user metadata', async () => {
      const bucket = await makeBucket();
      const systemMetadata = {
        contentType: 'image/png',
        contentEncoding: 'gzip',
        contentDisposition: 'attachment; filename="a.png"',
        contentLanguage: 'de',
        cacheControl: 'max-age=60',
        expires: 'Wed, 21 Oct 2099 07:28:00 GMT',
      };
      const userMetadata = { 'lbx-model': 'taesd3', note: 'a note' };
      await put(store(), bucket, 'm', 'x', { systemMetadata, userMetadata });
      for (const { info } of [
        await store().headObject(bucket, 'm', {}, connected),
        await store().getObject(bucket, 'm', {}, connected),
      ]) {
        expect(info.systemMetadata).toMatchObject(systemMetadata);
        expect(info.userMetadata).toEqual(userMetadata);
      }
    });

    it('are replaced with all their metadata', async () => {
      const bucket = await makeBucket();
      await put(store(), bucket, 'k', 'first', { userMetadata: { one: '1' } });
      await put(store(), bucket, 'k', 'second!', { userMetadata: { two: '2' } });
      const { info, body } = await store().getObject(bucket, 'k', {}, connected);
      expect((await bytesOf(body)).toString()).toBe('second!');
      expect(info.userMetadata).toEqual({ two: '2' });
    });

    itNeeds(context, 'tagsReplaced')('are replaced with their tags', async () => {
      const bucket = await makeBucket();
      await put(store(), bucket, 'k', 'first', { tags: { t: '1' } });
      await put(store(), bucket, 'k', 'second');
      expect(await store().getObjectTags(bucket, 'k', connected)).toEqual({});
    });

    it('that are missing are NoSuchKey', async () => {
      const bucket = await makeBucket();
      await expect(store().getObject(bucket, 'none', {}, connected)).rejects.toMatchObject({ code: 'NoSuchKey' });
      await expect(store().headObject(bucket, 'none', {}, connected)).rejects.toMatchObject({ code: 'NoSuchKey' });
      await expect(store().getObjectTags(bucket, 'none', connected)).rejects.toMatchObject({ code: 'NoSuchKey' });
    });

    it('can be deleted, twice too', async () => {
      const bucket = await makeBucket();
      await put(store(), bucket, 'a/b/c', 'x');
      await store().deleteObject(bucket, 'a/b/c', {}, connected);
      await store().deleteObject(bucket, 'a/b/c', {}, connected);
      await expect(store().getObject(bucket, 'a/b/c', {}, connected)).rejects.toMatchObject({ code: 'NoSuchKey' });
      expect(await keysOf(store(), bucket)).toEqual([]);
      await store().deleteBucket(bucket, connected);
    });

    it('are not touched by an upload that fails, which rejects with the very error of the body', async () => {
      const bucket = await makeBucket();
      await put(store(), bucket, 'kept', 'old');
      for (const size of [10, 20_000_000]) {
        const error = new Error('the client went away');
        for (const key of ['kept', 'never'])
          await expect(store().putObject(bucket, key, failingBody(noise(size), error), PLAIN, connected)).rejects.toBe(
            error,
          );
        await expect(
          store().putObject(
            bucket,
            'never',
            failingBody(noise(size), error),
            { ...PLAIN, contentLength: size + 1 },
            connected,
          ),
        ).rejects.toBe(error);
      }
      expect((await read(store(), bucket, 'kept')).toString()).toBe('old');
      expect(await keysOf(store(), bucket)).toEqual(['kept']);
      const uploads = await store().listMultipartUploads(bucket, { maxUploads: 10 }, connected);
      expect(uploads.uploads).toEqual([]);
    });

    it('are not stored when their client goes away', async () => {
      const bucket = await makeBucket();
      const controller = new AbortController();
      const body = bodyOf(noise(2_000_000), 1000);
      let seen = 0;
      body.on('data', (chunk: Buffer) => {
        seen += chunk.length;
        if (seen > 100_000) controller.abort();
      });
      body.pause();
      await expect(store().putObject(bucket, 'gone', body, PLAIN, controller.signal)).rejects.toThrow();
      expect(await keysOf(store(), bucket)).toEqual([]);
    });

    it('written at once under one key end as one of them', async () => {
      const bucket = await makeBucket();
      const bodies = Array.from({ length: 8 }, (_, i) => noise(50_000 + i, i + 1));
      await Promise.all(bodies.map((bytes, i) => put(store(), bucket, 'k', bytes, { userMetadata: { n: String(i) } })));
      const { info, body } = await store().getObject(bucket, 'k', {}, connected);
      const winner = bodies[Number(info.userMetadata['n'])];
      expect(md5(await bytesOf(body))).toBe(md5(winner ?? ''));
      expect(info.etag).toBe(md5(winner ?? ''));
    });
  });

  describe('ranges', () => {
    it.each([
      [{ kind: 'from', first: 0, last: 0 }, 0, 0],
      [{ kind: 'from', first: 10, last: 19 }, 10, 19],
      [{ kind: 'from', first: 90 }, 90, 99],
      [{ kind: 'from', first: 90, last: 1000 }, 90, 99],
      [{ kind: 'suffix', length: 7 }, 93, 99],
      [{ kind: 'suffix', length: 700 }, 0, 99],
    ] as const)('%j give bytes %d to %d', async (range, first, last) => {
      const bucket = await makeBucket();
      const bytes = noise(100);
      await put(store(), bucket, 'r', bytes);
      const got = await store().getObject(bucket, 'r', { range }, connected);
      expect(got.range).toEqual({ first, last });
      expect(got.info.size).toBe(100);
      expect(await bytesOf(got.body)).toEqual(bytes.subarray(first, last + 1));
      const head = await store().headObject(bucket, 'r', { range }, connected);
      expect(head).toMatchObject({ range: { first, last }, info: { size: 100 } });
    });

    it('outside of the object are InvalidRange', async () => {
      const bucket = await makeBucket();
      await put(store(), bucket, 'r', noise(100));
      for (const range of [{ kind: 'from', first: 100 } as const, { kind: 'suffix', length: 0 } as const])
        await expect(store().getObject(bucket, 'r', { range }, connected)).rejects.toMatchObject({
          code: 'InvalidRange',
        });
    });
  });

  describe('keys', () => {
    const roundTrip = async (keys: readonly string[]) => {
      const bucket = await makeBucket();
      for (const key of keys) await put(store(), bucket, key, `bytes of ${key}`);
      for (const key of keys) expect((await read(store(), bucket, key)).toString()).toBe(`bytes of ${key}`);
      expect(await keysOf(store(), bucket)).toEqual(
        [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      for (const key of keys) await store().deleteObject(bucket, key, {}, connected);
      expect(await keysOf(store(), bucket)).toEqual([]);
    };

    it('may hold spaces, plus, percent, quotes and any script', () =>
      roundTrip([
        'a b',
        'a+b',
        'a%2Fb',
        'a%',
        'ä/é😀.png',
        '日本',
        "it's",
        '"q"',
        'a&b<c>',
        'A',
        'a',
        'x=1?y#z',
        '~',
        '*',
      ]));

    itNeeds(context, 'keysInsideKeys')('may be folders of other keys', () =>
      roundTrip(['a', 'a/b', 'a/b/c', 'a.b', 'a%d', 'a%d/b%f', 'x/y', 'x/y/z/1', 'x']),
    );

    itNeeds(context, 'folderKeysWithBytes')('may end in a slash', () => roundTrip(['f/', 'f/g', 'h/']));

    itNeeds(context, 'oddKeys')('may be anything of 1,024 bytes', () =>
      roundTrip([
        '/',
        '//',
        '/a',
        'a//b',
        '.',
        '..',
        '../..',
        'a/../b',
        'a/./b',
        './a',
        '../etc/passwd',
        '.latentbox/x',
        '%',
        '%2E',
        '%long/x',
        '\\',
        'C:\\x',
        'x\ty\u0001\u007f',
        'n'.repeat(300),
        `${'ü'.repeat(400)}/x`,
        '\u0002'.repeat(1024),
        '/'.repeat(1024),
        'z'.repeat(1024),
        'con',
        'trailing.',
        ' ',
      ]),
    );
  });
}

/** 64 KiB, then 700 bytes, and so on: what is left of a signed chunk at the end of each read. */
function* uneven(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0, turn = 0; start < bytes.byteLength; turn += 1) {
    const end = start + (turn % 2 === 0 ? 65_536 : 700);
    yield bytes.subarray(start, end);
    start = end;
  }
}
