/** Uploads in parts through the latent store, over both real stores: what they become is what a PUT of the same bytes becomes. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy, type Tensor } from '../../codec/index.js';
import { createHasher, type CompletedPart, type ObjectContent, type UserMetadata } from '../../s3-api/index.js';
import { DualFormatCache } from '../cache/dual-format-cache.js';
import { cachePreset } from '../cache/presets.js';
import { policySchema } from '../config/schema.js';
import type { ConversionPool } from '../conversion/index.js';
import type { DecodePipeline } from '../decode/index.js';
import type { InstalledModel } from '../models/installed-model.js';
import type { BackingStore } from '../stores/backing-store.js';
import { FilesystemStore } from '../stores/filesystem/filesystem-store.js';
import { S3Store } from '../stores/s3/s3-store.js';
import { findVersitygw, startVersitygw, VERSITYGW_MISSING } from '../stores/testing/versitygw.js';
import { createLatentStore, type CreatedLatentStore } from './create-latent-store.js';
import { startBundledDecoding, type BundledDecoding } from './testing/bundled-decoding.js';
import type { CachedImage, CachedLatent } from './stored-image.js';

const signal = new AbortController().signal;
const BUCKET = 'images';
const MIB = 1 << 20;

let root: string;
let models: InstalledModel[];
let pipeline: DecodePipeline;
let converter: ConversionPool;
let decoding: BundledDecoding;
beforeAll(async () => {
  decoding = await startBundledDecoding();
  ({ root, models, pipeline, converter } = decoding);
});
afterAll(() => decoding.close());

function latent(seed = 1, shape = [16, 8, 12], dtype: 'f16' | 'f32' = 'f16'): Tensor {
  const count = shape.reduce((product, side) => product * side, 1);
  if (dtype === 'f32') {
    const values = Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.37 * seed) + (i % 13) / 7);
    return { dtype, shape, data: new Uint8Array(values.buffer) };
  }
  const halves = Uint16Array.from({ length: count }, (_, i) => 0x3000 + ((i * 2654435761 * seed) >>> 21));
  return { dtype, shape, data: new Uint8Array(halves.buffer) };
}

const program = await findVersitygw();
describe.each([
  ['filesystem store', filesystem, true],
  ['S3 store over versitygw', versitygw, program !== undefined],
] as const)('an upload in parts, on the %s', (_name, open, present) => {
  if (!present) {
    it.skip(VERSITYGW_MISSING);
    return;
  }
  let backing: BackingStore;
  let created: CreatedLatentStore;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ backing, close } = await open());
    created = await createLatentStore({
      backing,
      cache: new DualFormatCache<CachedImage, CachedLatent>(
        cachePreset('adaptive', { capacityBytes: MIB, alpha: 0.5, promotionHits: 2, entryOverheadBytes: 400 }),
      ),
      cacheOnPut: 'none',
      models,
      defaultModel: undefined,
      pipeline,
      converter,
      policies: [
        policySchema.parse({ match: `${BUCKET}/lazy/*`, put: 'latent', decodeOnPut: false }),
        policySchema.parse({ match: `${BUCKET}/files/*`, put: 'verbatim' }),
        policySchema.parse({ match: `${BUCKET}/encode/*`, put: 'encode', refineSteps: 10 }),
      ],
      stateDirectory: await mkdtemp(join(root, 'state-')),
      maxLatentBytes: 16 * MIB,
      maxPngBytes: 16 * MIB,
      maxPixels: 1 << 24,
      uploadBytesInFlight: 64 * MIB,
      observer: { read: () => undefined, written: () => undefined, converted: () => undefined },
    });
    await created.store.createBucket(BUCKET, signal);
  });
  afterAll(async () => {
    for (const part of created.owned) await part.close();
    await close();
  });

  const start = async (key: string, userMetadata: UserMetadata = {}, more: object = {}) => {
    const { store } = created;
    const options = { systemMetadata: { contentType: 'application/x-thing' }, userMetadata, ...more };
    const { uploadId } = await store.createMultipartUpload(BUCKET, key, options, signal);
    return {
      uploadId,
      part: (partNumber: number, bytes: Uint8Array) =>
        store.uploadPart(
          BUCKET,
          key,
          uploadId,
          partNumber,
          Readable.from([Buffer.from(bytes)], { objectMode: false }),
          { contentLength: bytes.byteLength },
          signal,
        ),
      complete: (parts: readonly CompletedPart[], completion: object = {}) =>
        store.completeMultipartUpload(BUCKET, key, uploadId, parts, completion, signal),
    };
  };
  const put = (key: string, bytes: Uint8Array, userMetadata: UserMetadata = {}) =>
    created.store.putObject(
      BUCKET,
      key,
      Readable.from([Buffer.from(bytes)], { objectMode: false }),
      { contentLength: bytes.byteLength, systemMetadata: {}, userMetadata },
      signal,
    );
  const read = async (key: string) => bytesOf(await created.store.getObject(BUCKET, key, {}, signal));
  const stored = async (key: string) => bytesOf(await backing.getObject(BUCKET, key, {}, signal));
  const head = async (key: string) => (await created.store.headObject(BUCKET, key, {}, signal)).info;
  const uploads = async () => (await created.store.listMultipartUploads(BUCKET, { maxUploads: 100 }, signal)).uploads;

  it('that is a latent is stored and served as a PUT of the same bytes', async () => {
    const npy = writeNpy(latent());
    const direct = await put('put.png', npy, { note: 'mine' });
    const { part, complete, uploadId } = await start('parts.png', { note: 'mine' });
    const result = await complete([await part(1, npy)]);
    expect(result).toMatchObject({ etag: direct.etag, extraHeaders: { 'x-lbx-storage': 'latent' } });
    expect(result.checksums).toBeUndefined();
    expect((await read('parts.png')).equals(await read('put.png'))).toBe(true);
    expect(await head('parts.png')).toMatchObject({
      etag: direct.etag,
      systemMetadata: { contentType: 'image/png' },
      userMetadata: { note: 'mine' },
    });
    expect((await uploads()).some((upload) => upload.uploadId === uploadId)).toBe(false);
  });

  it('that is a latent of several parts, the last sent first, is joined and compressed bit for bit', async () => {
    const npy = writeNpy(latent(1, [16, 320, 320], 'f32'));
    await put('lazy/put', npy);
    const { part, complete, uploadId } = await start('lazy/parts');
    const two = await part(2, npy.subarray(5 * MIB));
    const one = await part(1, npy.subarray(0, 5 * MIB));
    const { parts } = await created.store.listParts(BUCKET, 'lazy/parts', uploadId, { maxParts: 10 }, signal);
    expect(parts.map(({ partNumber, size }) => [partNumber, size])).toEqual([
      [1, 5 * MIB],
      [2, npy.byteLength - 5 * MIB],
    ]);
    await complete([one, two]);
    expect((await stored('lazy/parts')).equals(await stored('lazy/put'))).toBe(true);
  });

  it('that is a PNG under the policy encode is encoded as one PUT of it is', async () => {
    await put('source.npy', writeNpy(latent(3)));
    const picture = sharp(await read('source.npy'));
    const png = await picture.png({ adaptiveFiltering: true }).toBuffer();
    const direct = await put('encode/put.png', png);
    const { part, complete } = await start('encode/parts.png');
    const result = await complete([await part(1, png)]);
    expect(result).toMatchObject({ etag: direct.etag, extraHeaders: { 'x-lbx-storage': 'latent' } });
    expect((await head('encode/parts.png')).size).toBe(png.byteLength);
  });

  it('takes its hints from the metadata of its creation', async () => {
    const tensor = latent(3);
    const hints = { 'lbx-shape': '16,8,12', 'lbx-dtype': 'f16' };
    const { etag } = await put('raw-put', tensor.data, hints);
    const { part, complete } = await start('raw-parts', hints);
    expect((await complete([await part(3, tensor.data)])).etag).toBe(etag);
    await expect(start('raw-parts', { 'lbx-shape': 'wide' })).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  it('that is an ordinary file keeps its parts, its ETag and its metadata, whatever order they came in', async () => {
    const bytes = Buffer.alloc(5 * MIB + 77, 'ordinary ');
    const { part, complete } = await start('file.bin', { a: '1', 'lbx-model': 'bundled' });
    const two = await part(2, bytes.subarray(5 * MIB));
    const one = await part(1, bytes.subarray(0, 5 * MIB));
    const result = await complete([one, two]);
    expect(result.etag).toMatch(/^[0-9a-f]{32}-2$/);
    expect(result.extraHeaders).toMatchObject({ 'x-lbx-storage': 'verbatim' });
    expect((await read('file.bin')).equals(bytes)).toBe(true);
    expect(await head('file.bin')).toMatchObject({
      etag: result.etag,
      userMetadata: { a: '1' },
      systemMetadata: { contentType: 'application/x-thing' },
    });
  });

  it('under a verbatim policy stays what it is', async () => {
    const npy = writeNpy(latent());
    const { part, complete } = await start('files/a.npy');
    await complete([await part(1, npy)]);
    expect((await read('files/a.npy')).equals(Buffer.from(npy))).toBe(true);
  });

  it('that is a tensor file of something else is stored as it is', async () => {
    const npy = writeNpy(latent(1, [16, 8]));
    const { part, complete } = await start('matrix.npy');
    const { etag } = await complete([await part(1, npy)]);
    expect(etag).toMatch(/-1$/);
    expect((await read('matrix.npy')).equals(Buffer.from(npy))).toBe(true);
  });

  it('that is broken is refused, leaves the object that was there, and can be mended and completed', async () => {
    const npy = writeNpy(latent(5));
    const before = await put('mended.png', writeNpy(latent(6)));
    const { part, complete } = await start('mended.png');
    await expect(complete([await part(1, npy.subarray(0, 300))])).rejects.toMatchObject({ code: 'InvalidRequest' });
    expect((await head('mended.png')).etag).toBe(before.etag);
    const { etag } = await complete([await part(1, npy)]);
    expect(etag).not.toBe(before.etag);
    expect((await head('mended.png')).etag).toBe(etag);
  });

  it('is answered again when the answer to Complete was lost, until the object is another', async () => {
    const { part, complete } = await start('again.png');
    const one = await part(1, writeNpy(latent(7)));
    const { etag } = await complete([one]);
    expect((await complete([one])).etag).toBe(etag);
    await put('again.png', writeNpy(latent(8)));
    // versitygw answers Complete of an upload that it does not know with whatever lies under the key.
    if (backing instanceof FilesystemStore)
      await expect(complete([one])).rejects.toMatchObject({ code: 'NoSuchUpload' });
  });

  it('is completed only where its conditions hold, and named parts are there', async () => {
    const { part, complete } = await start('conditional.png');
    const one = await part(1, writeNpy(latent(9)));
    await put('conditional.png', writeNpy(latent(10)));
    const current = (await head('conditional.png')).etag;
    const condition = (conditions: object) => complete([one], { conditions });
    await expect(condition({ ifNoneMatch: ['*'] })).rejects.toMatchObject({ code: 'PreconditionFailed' });
    await expect(condition({ ifMatch: [one.etag] })).rejects.toMatchObject({ code: 'PreconditionFailed' });
    await expect(complete([{ ...one, partNumber: 2 }])).rejects.toMatchObject({ code: 'InvalidPart' });
    expect((await head('conditional.png')).etag).toBe(current);
    const { etag } = await condition({ ifMatch: [current] });
    expect((await head('conditional.png')).etag).toBe(etag);
  });

  it('is checked against the checksum of the whole before it is looked at', async () => {
    const npy = writeNpy(latent(11));
    const hasher = createHasher('CRC32');
    hasher.update(npy);
    const value = hasher.digest().toString('base64');
    const { part, complete } = await start('sum.png', {}, { checksumAlgorithm: 'CRC32', checksumType: 'FULL_OBJECT' });
    const one = await part(1, npy);
    const whole = (stated: string) => ({ checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT', value: stated } });
    await expect(complete([one], whole('AAAAAA=='))).rejects.toMatchObject({ code: 'BadDigest' });
    expect((await complete([one], whole(value))).extraHeaders).toMatchObject({ 'x-lbx-storage': 'latent' });
  });

  it('may take ranges of an image, as the PNG that clients see', async () => {
    await put('source.png', writeNpy(latent(12)));
    const png = await read('source.png');
    const { uploadId, complete } = await start('files/copied.png');
    const source = { bucket: BUCKET, key: 'source.png' };
    const range = { kind: 'from', first: 8, last: png.length - 1 } as const;
    const copied = await created.store.uploadPartCopy(
      { ...source, range },
      BUCKET,
      'files/copied.png',
      uploadId,
      1,
      {},
      signal,
    );
    await complete([copied]);
    expect((await read('files/copied.png')).equals(png.subarray(8))).toBe(true);
  });

  it('and a copy say which bucket of two is missing', async () => {
    const copy = (from: string, to: string) =>
      created.store.copyObject({ bucket: from, key: 'none' }, to, 'copy', {}, signal);
    await expect(copy('no-source', BUCKET)).rejects.toMatchObject({ code: 'NoSuchBucket' });
    await expect(copy(BUCKET, 'no-target')).rejects.toMatchObject({ code: 'NoSuchBucket' });
    await expect(copy(BUCKET, BUCKET)).rejects.toMatchObject({ code: 'NoSuchKey' });
  });

  it('that is aborted leaves nothing, and no upload leaves anything in a listing', async () => {
    const { part, complete, uploadId } = await start('gone.png');
    const one = await part(1, writeNpy(latent()));
    await created.store.abortMultipartUpload(BUCKET, 'gone.png', uploadId, signal);
    await expect(complete([one])).rejects.toMatchObject({ code: 'NoSuchUpload' });
  });

  it('in progress shows in no listing of objects', async () => {
    const bucket = 'listed';
    const options = { systemMetadata: {}, userMetadata: {} };
    await created.store.createBucket(bucket, signal);
    for (const key of ['-first', 'a/b', 'last'])
      await created.store.putObject(
        bucket,
        key,
        Readable.from([Buffer.from('x')]),
        { ...options, contentLength: 1 },
        signal,
      );
    await created.store.createMultipartUpload(bucket, 'open', options, signal);
    const names = async (maxKeys: number, delimiter?: string) => {
      const page = { maxKeys, ...(delimiter !== undefined && { delimiter }) };
      const { objects, commonPrefixes, isTruncated } = await created.store.listObjects(bucket, page, signal);
      return [...objects.map(({ key }) => key), ...commonPrefixes, isTruncated];
    };
    expect(await names(1000)).toEqual(['-first', 'a/b', 'last', false]);
    expect(await names(2)).toEqual(['-first', 'a/b', true]);
    expect(await names(3)).toEqual(['-first', 'a/b', 'last', false]);
    expect(await names(2, '/')).toEqual(['-first', 'a/', true]);
  });

  it('does not keep an otherwise empty bucket from being deleted', async () => {
    await created.store.createBucket('short-lived', signal);
    const options = { systemMetadata: {}, userMetadata: {} };
    await created.store.createMultipartUpload('short-lived', 'k', options, signal);
    await created.store.deleteBucket('short-lived', signal);
    await expect(created.store.headBucket('short-lived', signal)).rejects.toMatchObject({ code: 'NoSuchBucket' });
  });
});

async function bytesOf({ body }: ObjectContent): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.concat((await body.toArray()) as Buffer[]);
}

async function filesystem() {
  const store = new FilesystemStore(await mkdtemp(join(root, 'files-')));
  await store.start();
  return { backing: store, close: () => store.close() };
}

async function versitygw() {
  const server = await startVersitygw(program ?? '');
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const store = new S3Store({
    endpoint,
    accessKeyId,
    secretAccessKey,
    region: 'us-east-1',
    bucketPrefix: '',
    buckets: {},
    forcePathStyle: true,
    maxConnections: 32,
    deadlineSeconds: 20,
  });
  const close = async () => {
    await store.close();
    await server.close();
  };
  return { backing: store, close };
}
