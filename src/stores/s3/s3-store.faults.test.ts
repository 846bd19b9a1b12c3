import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bodyOf, connected, failingBody, keysOf, md5, noise, PLAIN, put, read } from '../testing/contract/context.js';
import { startFaultyWire, type FaultyWire } from '../testing/faulty-wire.js';
import { findVersitygw, startVersitygw, VERSITYGW_MISSING, type RunningVersitygw } from '../testing/versitygw.js';
import { S3Store } from './s3-store.js';

const program = await findVersitygw();
const BIG = 20 << 20;

if (program === undefined) {
  describe('the S3 store over a faulty wire', () => {
    it.skip(VERSITYGW_MISSING);
  });
} else {
  describe('the S3 store over a faulty wire', () => {
    let server: RunningVersitygw;
    let wire: FaultyWire;
    let store: S3Store;
    let bucket: string;
    let count = 0;
    beforeAll(async () => {
      server = await startVersitygw(program);
    });
    afterAll(() => server.close());
    beforeEach(async () => {
      wire = await startFaultyWire(server.endpoint);
      const { accessKeyId, secretAccessKey } = server;
      store = new S3Store({
        endpoint: wire.endpoint,
        accessKeyId,
        secretAccessKey,
        region: 'us-east-1',
        bucketPrefix: '',
        buckets: {},
        forcePathStyle: true,
        maxConnections: 4,
        deadlineSeconds: 2,
      });
      bucket = `wire-${++count}`;
      await store.createBucket(bucket, connected);
      return async () => {
        await store.close();
        await wire.close();
      };
    });

    it('tries reads and small writes again', async () => {
      const bytes = noise(100_000);
      wire.cutNext(2);
      await put(store, bucket, 'k', bytes);
      wire.cutNext(2);
      expect(md5(await read(store, bucket, 'k'))).toBe(md5(bytes));
      wire.cutNext(2);
      expect(await keysOf(store, bucket)).toEqual(['k']);
    });

    it('does not send half of a stream again: a large write fails as a whole and stores nothing', async () => {
      const bytes = noise(BIG);
      wire.cutNext(1);
      const attempt = put(store, bucket, 'big', bytes);
      await expect(attempt).rejects.toMatchObject({ code: 'ServiceUnavailable', headers: { 'retry-after': '2' } });
      expect(await keysOf(store, bucket)).toEqual([]);
      await put(store, bucket, 'big', bytes);
      expect(md5(await read(store, bucket, 'big'))).toBe(md5(bytes));
    });

    it('tries each part of a body of unknown length again', async () => {
      const bytes = noise(BIG);
      wire.cutNext(1);
      await store.putObject(bucket, 'big', bodyOf(bytes), PLAIN, connected);
      expect(md5(await read(store, bucket, 'big'))).toBe(md5(bytes));
    });

    it('gives up within its deadline where nobody answers', async () => {
      wire.hold();
      const begun = Date.now();
      await expect(store.headBucket(bucket, connected)).rejects.toMatchObject({
        code: 'ServiceUnavailable',
        status: 503,
      });
      expect(Date.now() - begun).toBeLessThan(4000);
    });

    it('says ServiceUnavailable where nobody listens', async () => {
      await wire.close();
      const again = await startFaultyWire(server.endpoint);
      const dead = again.endpoint;
      await again.close();
      const lost = new S3Store({
        endpoint: dead,
        accessKeyId: 'a',
        secretAccessKey: 'b',
        region: 'us-east-1',
        bucketPrefix: '',
        buckets: {},
        forcePathStyle: true,
        maxConnections: 4,
        deadlineSeconds: 2,
      });
      await expect(lost.listBuckets(connected)).rejects.toMatchObject({ code: 'ServiceUnavailable' });
      await lost.close();
      wire = await startFaultyWire(server.endpoint);
    });

    it('keeps its own credentials out of what clients hear', async () => {
      const wrong = new S3Store({
        endpoint: server.endpoint,
        accessKeyId: 'backend',
        secretAccessKey: 'wrong',
        region: 'us-east-1',
        bucketPrefix: '',
        buckets: {},
        forcePathStyle: true,
        maxConnections: 4,
        deadlineSeconds: 2,
      });
      await expect(wrong.listObjects(bucket, { maxKeys: 1 }, connected)).rejects.toMatchObject({
        code: 'InternalError',
      });
      await wrong.close();
    });

    it('never uses more sockets than it may', async () => {
      await put(store, bucket, 'k', noise(10_000));
      await Promise.all(Array.from({ length: 40 }, () => read(store, bucket, 'k')));
      expect(wire.connections()).toBeLessThanOrEqual(4);
    });

    it('gives its sockets back whatever becomes of uploads and downloads', async () => {
      await put(store, bucket, 'big', noise(BIG));
      for (let i = 0; i < 6; i++) {
        const { body } = await store.getObject(bucket, 'big', {}, connected);
        if (!(body instanceof Uint8Array)) body.destroy();
        const error = new Error('gone');
        await expect(
          store.putObject(bucket, 'x', failingBody(noise(BIG), error), { ...PLAIN, contentLength: BIG + 1 }, connected),
        ).rejects.toBe(error);
        await expect(store.getObject(bucket, 'none', {}, connected)).rejects.toMatchObject({ code: 'NoSuchKey' });
      }
      expect(await keysOf(store, bucket)).toEqual(['big']);
    });

    it('leaves nothing of a stream that breaks off, however late one looks', async () => {
      for (const length of [BIG + 1, 2 * BIG]) {
        const error = new Error('truncated');
        const options = { ...PLAIN, contentLength: length };
        await expect(store.putObject(bucket, 'x', failingBody(noise(BIG), error), options, connected)).rejects.toBe(
          error,
        );
      }
      // The server learns of the broken connection later than this process.
      await delay(500);
      expect(await keysOf(store, bucket)).toEqual([]);
    });

    it('stops when its client goes away', async () => {
      const controller = new AbortController();
      wire.hold();
      const attempt = store.getObject(bucket, 'k', {}, controller.signal);
      const reason = new Error('the client left');
      setTimeout(() => {
        controller.abort(reason);
      }, 50);
      await expect(attempt).rejects.toBe(reason);
    });
  });
}
