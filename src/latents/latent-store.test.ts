/** The latent store over the real filesystem store, the real decoder and the bundled model. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeContainer, writeNpy, writeSafetensors, type Tensor } from '../../codec/index.js';
import { S3Error, type ObjectContent, type WriteOptions } from '../../s3-api/index.js';
import { DualFormatCache } from '../cache/dual-format-cache.js';
import { cachePreset } from '../cache/presets.js';
import { policySchema } from '../config/schema.js';
import type { ConversionPool } from '../conversion/index.js';
import type { DecodePipeline, RenderRequest } from '../decode/index.js';
import type { InstalledModel } from '../models/installed-model.js';
import { FilesystemStore } from '../stores/filesystem/filesystem-store.js';
import { psnr } from '../conversion/fidelity.js';
import { createLatentStore, type CreatedLatentStore } from './create-latent-store.js';
import { startBundledDecoding, type BundledDecoding } from './testing/bundled-decoding.js';
import type { CachedImage, CachedLatent, ReadOutcome } from './stored-image.js';

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

/** The real pipeline, with a gate that holds renders back and a count of them. */
class Gate {
  renders = 0;
  #open: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  close(): void {
    this.#open = new Promise((resolve) => (this.#release = resolve));
  }
  open(): void {
    this.#release();
  }
  around(real: DecodePipeline): DecodePipeline {
    return {
      start: () => real.start(),
      close: () => real.close(),
      render: async (request: RenderRequest, renderSignal: AbortSignal) => {
        this.renders += 1;
        await this.#open;
        return real.render(request, renderSignal);
      },
      renderPixels: (request, renderSignal) => real.renderPixels(request, renderSignal),
      runGraph: (model, graph, inputs, runSignal) => real.runGraph(model, graph, inputs, runSignal),
      status: () => real.status(),
      load: () => real.load(),
      placements: () => real.placements(),
      decoderClass: (model) => real.decoderClass(model),
    };
  }
}

let backing: FilesystemStore;
let created: CreatedLatentStore;
let cache: DualFormatCache<CachedImage, CachedLatent>;
let gate: Gate;
let outcomes: ReadOutcome[];
let conversions: string[];

beforeEach(async () => {
  const close = await createStore('none');
  await backing.createBucket(BUCKET);
  return close;
});

async function createStore(cacheOnPut: 'image' | 'latent' | 'none', capacityBytes = 32 * MIB) {
  const directory = await mkdtemp(join(root, 'store-'));
  backing = new FilesystemStore(directory);
  await backing.start();
  cache = new DualFormatCache(
    cachePreset('adaptive', { capacityBytes, alpha: 0.5, promotionHits: 2, entryOverheadBytes: 400 }),
  );
  gate = new Gate();
  outcomes = [];
  conversions = [];
  created = await createLatentStore({
    backing,
    cache,
    cacheOnPut,
    models,
    defaultModel: undefined,
    pipeline: gate.around(pipeline),
    converter,
    policies: [
      policySchema.parse({ match: `${BUCKET}/lazy/*`, put: 'latent', decodeOnPut: false }),
      policySchema.parse({ match: `${BUCKET}/files/*`, put: 'verbatim' }),
      policySchema.parse({ match: `${BUCKET}/predictive/*`, codec: 'predictive' }),
      policySchema.parse({ match: `${BUCKET}/encode/*`, put: 'encode', refineSteps: 10 }),
      policySchema.parse({ match: `${BUCKET}/strict/*`, put: 'encode', refineSteps: 0, size: 'strict' }),
    ],
    stateDirectory: join(directory, 'state'),
    maxLatentBytes: MIB,
    maxPngBytes: MIB,
    maxPixels: 1 << 20,
    uploadBytesInFlight: 16 * MIB,
    observer: {
      read: (outcome) => outcomes.push(outcome),
      written: () => undefined,
      converted: ({ kind }) => conversions.push(kind),
    },
  });
  return async () => {
    for (const part of created.owned) await part.close();
    await backing.close();
  };
}

function latent(seed = 1, shape = [16, 8, 12]): Tensor {
  const count = shape.reduce((product, side) => product * side, 1);
  const halves = Uint16Array.from({ length: count }, (_, i) => 0x3000 + ((i * 2654435761 * seed) >>> 21));
  return { dtype: 'f16', shape, data: new Uint8Array(halves.buffer) };
}

function put(key: string, bytes: Uint8Array, options: Partial<WriteOptions> = {}) {
  return created.store.putObject(
    BUCKET,
    key,
    Readable.from([Buffer.from(bytes)]),
    { contentLength: bytes.byteLength, systemMetadata: {}, userMetadata: {}, ...options },
    signal,
  );
}

async function bytesOf({ body }: ObjectContent): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.concat((await body.toArray()) as Buffer[]);
}

const get = (key: string, options = {}) => created.store.getObject(BUCKET, key, options, signal);
const head = (key: string, options = {}) => created.store.headObject(BUCKET, key, options, signal);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof S3Error)) throw new Error(`expected an S3Error, got ${String(error)}`);
  return error.code;
}

describe('a stored latent', () => {
  it('is read as a PNG whose size, ETag and type HEAD and LIST agree on', async () => {
    const written = await put('a.png', writeNpy(latent()));
    const content = await get('a.png');
    const png = await bytesOf(content);
    expect(await sharp(png).metadata()).toMatchObject({ format: 'png', width: 96, height: 64, channels: 3 });
    expect(content.info).toMatchObject({
      size: png.byteLength,
      etag: written.etag,
      systemMetadata: { contentType: 'image/png' },
    });
    expect((await head('a.png')).info).toMatchObject({ size: png.byteLength, etag: written.etag });
    const listing = await created.store.listObjects(BUCKET, { maxKeys: 10 }, signal);
    expect(listing.objects).toMatchObject([{ key: 'a.png', size: png.byteLength, etag: written.etag }]);
    expect(written.etag).toMatch(/^[0-9a-f]{32}-1$/);
  });

  it('is kept bit for bit', async () => {
    const tensor = latent(3);
    await put('a.png', writeNpy(tensor));
    const stored = await bytesOf(await backing.getObject(BUCKET, 'a.png', {}, signal));
    expect(Buffer.from(decodeContainer(stored).tensor.data).equals(Buffer.from(tensor.data))).toBe(true);
  });

  it('is compressed by the codec that its prefix names, which HEAD and the container say and the picture does not', async () => {
    const tensor = latent(5);
    const userMetadata = { long: 'x'.repeat(1900) };
    await put('a.png', writeNpy(tensor));
    await put('predictive/a.png', writeNpy(tensor), { userMetadata });
    expect((await head('a.png')).info.extraHeaders).toMatchObject({ 'x-lbx-codec': 'pcodec' });
    const { info } = await head('predictive/a.png');
    expect(info.extraHeaders).toMatchObject({ 'x-lbx-codec': 'predictive' });
    expect(info.userMetadata).toEqual(userMetadata);
    const stored = decodeContainer(await bytesOf(await backing.getObject(BUCKET, 'predictive/a.png', {}, signal)));
    expect(stored.header.codec.id).toBe('predictive');
    expect(Buffer.from(stored.tensor.data).equals(Buffer.from(tensor.data))).toBe(true);
    expect(await bytesOf(await get('predictive/a.png'))).toEqual(await bytesOf(await get('a.png')));
  });

  it('moves from the store to the latent tier to the image tier, with the same bytes each time', async () => {
    await put('a.png', writeNpy(latent()));
    const reads: Buffer[] = [];
    for (let i = 0; i < 4; i += 1) reads.push(await bytesOf(await get('a.png')));
    expect(outcomes).toEqual(['miss', 'latent-hit', 'latent-hit', 'image-hit']);
    for (const read of reads) expect(read.equals(reads[0] ?? Buffer.alloc(0))).toBe(true);
    expect(cache.statistics()).toMatchObject({ imageEntries: 1, latentEntries: 0 });
  });

  it.each([
    ['image', 'image-hit'],
    ['latent', 'latent-hit'],
  ] as const)('is in the %s tier right after PUT where the configuration says so', async (tier, outcome) => {
    const close = await createStore(tier);
    await backing.createBucket(BUCKET);
    const { etag } = await put('a.png', writeNpy(latent()));
    const content = await get('a.png');
    expect(outcomes).toEqual([outcome]);
    expect(content.info).toMatchObject({
      etag,
      lastModified: (await backing.headObject(BUCKET, 'a.png', {})).info.lastModified,
    });
    await close();
  });

  it('answers ranges and conditions of the PNG in every tier', async () => {
    const { etag } = await put('a.png', writeNpy(latent()));
    const whole = await bytesOf(await get('a.png'));
    for (let i = 0; i < 4; i += 1) {
      const part = await get('a.png', { range: { kind: 'from', first: 10, last: 29 } });
      expect(part.range).toEqual({ first: 10, last: 29 });
      expect((await bytesOf(part)).equals(whole.subarray(10, 30))).toBe(true);
      expect(await codeOf(get('a.png', { conditions: { ifNoneMatch: [etag] } }))).toBe('NotModified');
      expect(await codeOf(get('a.png', { conditions: { ifMatch: ['other'] } }))).toBe('PreconditionFailed');
      expect(await codeOf(get('a.png', { range: { kind: 'from', first: whole.byteLength } }))).toBe('InvalidRange');
    }
  });

  it('answers a range beyond the container but inside the PNG when nothing is cached', async () => {
    await put('a.png', writeNpy(latent()));
    const { size } = (await head('a.png')).info;
    const stored = (await backing.headObject(BUCKET, 'a.png', {})).info.size;
    expect(size).toBeGreaterThan(stored);
    const tail = await get('a.png', { range: { kind: 'from', first: size - 12 } });
    expect(Buffer.from((await bytesOf(tail)).subarray(4, 8)).toString()).toBe('IEND');
  });

  it("keeps the client's metadata and shows none of its own", async () => {
    const userMetadata = { artist: 'someone', 'lbx-model': 'bundled' };
    await put('a.png', writeNpy(latent()), { userMetadata });
    expect((await head('a.png')).info.userMetadata).toEqual({ artist: 'someone' });
    expect((await get('a.png')).info.userMetadata).toEqual({ artist: 'someone' });
  });

  it('keeps metadata up to S3’s own limit, in the container where the facts leave it no room', async () => {
    const userMetadata = { note: 'x'.repeat(2000) };
    await put('a.png', writeNpy(latent()), { userMetadata });
    expect((await head('a.png')).info.userMetadata).toEqual(userMetadata);
    expect((await get('a.png')).info.userMetadata).toEqual(userMetadata);
    const { info } = await backing.headObject(BUCKET, 'a.png', {});
    expect(info.userMetadata['note']).toBeUndefined();
  });

  it('may come as safetensors, bare with hints, or as a container', async () => {
    const tensor = latent(5);
    const { etag } = await put('npy', writeNpy(tensor));
    expect((await put('safetensors', writeSafetensors(new Map([['latent', tensor]])))).etag).toBe(etag);
    const hints = { 'lbx-shape': '16,8,12', 'lbx-dtype': 'f16' };
    expect((await put('raw', tensor.data, { userMetadata: hints })).etag).toBe(etag);
    const container = await bytesOf(await backing.getObject(BUCKET, 'npy', {}, signal));
    expect((await put('container', container)).etag).toBe(etag);
  });

  it('can be cropped by hints', async () => {
    await put('a.png', writeNpy(latent()), { userMetadata: { 'lbx-width': '90', 'lbx-height': '61' } });
    expect(await sharp(await bytesOf(await get('a.png'))).metadata()).toMatchObject({ width: 90, height: 61 });
  });

  it('is rendered by the first HEAD or LIST where the policy does not decode at PUT', async () => {
    await put('lazy/a.png', writeNpy(latent(7)));
    await put('lazy/b.png', writeNpy(latent(8)));
    expect(gate.renders).toBe(0);
    const { size } = (await head('lazy/a.png')).info;
    const listing = await created.store.listObjects(BUCKET, { prefix: 'lazy/', maxKeys: 10 }, signal);
    expect(listing.objects[0]?.size).toBe(size);
    expect((await bytesOf(await get('lazy/b.png'))).byteLength).toBe(listing.objects[1]?.size);
  });

  it('can be had as its container, its tensor, and in other picture formats, each with its own size and ETag', async () => {
    const tensor = latent(9);
    const { etag } = await put('a.png', writeNpy(tensor));
    const as = (parameters: Record<string, string>) => ({ preferences: { parameters } });
    const container = await bytesOf(await get('a.png', as({ 'x-lbx-format': 'latent' })));
    expect(container.equals(await bytesOf(await backing.getObject(BUCKET, 'a.png', {}, signal)))).toBe(true);
    expect(
      (await bytesOf(await get('a.png', as({ 'x-lbx-format': 'npy' })))).equals(Buffer.from(writeNpy(tensor))),
    ).toBe(true);
    for (const format of ['webp', 'jpeg'] as const) {
      const answer = await get('a.png', as({ 'x-lbx-format': format, 'x-lbx-width': '48' }));
      const bytes = await bytesOf(answer);
      expect(await sharp(bytes).metadata()).toMatchObject({ format, width: 48, height: 32 });
      expect(answer.info).toMatchObject({ size: bytes.byteLength, systemMetadata: { contentType: `image/${format}` } });
      expect(answer.info.etag).not.toBe(etag);
      expect((await head('a.png', as({ 'x-lbx-format': format, 'x-lbx-width': '48' }))).info.size).toBe(
        bytes.byteLength,
      );
    }
    expect(await codeOf(get('a.png', as({ 'x-lbx-format': 'tiff' })))).toBe('InvalidArgument');
    await put('a.txt', Buffer.from('text'));
    expect(await codeOf(get('a.txt', as({ 'x-lbx-format': 'webp' })))).toBe('InvalidRequest');
  });

  it('copies with its facts, and with new metadata', async () => {
    const { etag } = await put('a.png', writeNpy(latent()), { userMetadata: { a: '1' } });
    const source = { bucket: BUCKET, key: 'a.png', conditions: { ifMatch: [etag] } };
    const replaceMetadata = { systemMetadata: { cacheControl: 'no-cache' }, userMetadata: { b: '2' } };
    expect((await created.store.copyObject(source, BUCKET, 'b.png', {}, signal)).etag).toBe(etag);
    expect((await created.store.copyObject(source, BUCKET, 'c.png', { replaceMetadata }, signal)).etag).toBe(etag);
    expect((await head('b.png')).info.userMetadata).toEqual({ a: '1' });
    expect((await head('c.png')).info).toMatchObject({
      userMetadata: { b: '2' },
      systemMetadata: { cacheControl: 'no-cache', contentType: 'image/png' },
    });
    expect((await bytesOf(await get('c.png'))).equals(await bytesOf(await get('a.png')))).toBe(true);
  });

  it('is replaced or deleted only where If-Match names the PNG’s ETag', async () => {
    const { etag } = await put('a.png', writeNpy(latent()));
    expect(await codeOf(put('a.png', writeNpy(latent(2)), { conditions: { ifMatch: ['other'] } }))).toBe(
      'PreconditionFailed',
    );
    const second = await put('a.png', writeNpy(latent(2)), { conditions: { ifMatch: [etag] } });
    expect(second.etag).not.toBe(etag);
    expect(await codeOf(created.store.deleteObject(BUCKET, 'a.png', { conditions: { ifMatch: [etag] } }, signal))).toBe(
      'PreconditionFailed',
    );
    await created.store.deleteObject(BUCKET, 'a.png', { conditions: { ifMatch: [second.etag] } }, signal);
    expect(await codeOf(head('a.png'))).toBe('NoSuchKey');
  });
});

describe('identical requests in flight', () => {
  it('share one decode', async () => {
    await put('a.png', writeNpy(latent()));
    gate.renders = 0;
    gate.close();
    const reads = Array.from({ length: 8 }, () => get('a.png'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    gate.open();
    const bodies = await Promise.all((await Promise.all(reads)).map(bytesOf));
    expect(gate.renders).toBe(1);
    for (const body of bodies) expect(body.equals(bodies[0] ?? Buffer.alloc(0))).toBe(true);
  });

  it('leave image-tier hits alone while a decode is held open', async () => {
    await put('hot.png', writeNpy(latent()));
    for (let i = 0; i < 3; i += 1) await get('hot.png');
    await put('cold.png', writeNpy(latent(2)));
    gate.close();
    let coldDone = false;
    const cold = get('cold.png').finally(() => (coldDone = true));
    for (let i = 0; i < 20; i += 1) await get('hot.png');
    expect(outcomes.slice(-20)).toEqual(Array.from({ length: 20 }, () => 'image-hit'));
    expect(coldDone).toBe(false);
    gate.open();
    await cold;
  });

  it('never cache what a write replaced meanwhile', async () => {
    await put('a.png', writeNpy(latent(1)));
    gate.close();
    const old = get('a.png');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const replacing = put('a.png', writeNpy(latent(2)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    gate.open();
    const [before] = [await bytesOf(await old), await replacing];
    const after = await bytesOf(await get('a.png'));
    expect(after.equals(before)).toBe(false);
    expect((await bytesOf(await get('a.png'))).equals(after)).toBe(true);
  });
});

describe('everything else', () => {
  it('is kept byte for byte, with ranges and conditions of its own', async () => {
    const text = Buffer.from('not a picture at all');
    const { etag } = await put('a.txt', text, {
      systemMetadata: { contentType: 'text/plain' },
      userMetadata: { 'lbx-format': 'latent-1', own: 'yes' },
    });
    expect((await bytesOf(await get('a.txt'))).equals(text)).toBe(true);
    expect((await bytesOf(await get('a.txt', { range: { kind: 'suffix', length: 3 } }))).toString()).toBe('all');
    expect(await codeOf(get('a.txt', { conditions: { ifNoneMatch: [etag] } }))).toBe('NotModified');
    expect((await head('a.txt')).info).toMatchObject({
      etag,
      userMetadata: { own: 'yes' },
      systemMetadata: { contentType: 'text/plain' },
    });
    expect(outcomes).toEqual(['verbatim', 'verbatim']);
  });

  it('includes tensor files that hold something else, and latents under a verbatim policy', async () => {
    const weights = writeSafetensors(
      new Map([
        ['a', latent(1, [2, 3])],
        ['b', latent(2, [4])],
      ]),
    );
    await put('weights.safetensors', weights);
    expect((await bytesOf(await get('weights.safetensors'))).equals(Buffer.from(weights))).toBe(true);
    const npy = writeNpy(latent());
    await put('files/a.npy', npy);
    expect((await bytesOf(await get('files/a.npy'))).equals(Buffer.from(npy))).toBe(true);
  });

  it('includes tensor files over the limit', async () => {
    const large = writeNpy(latent(1, [16, 256, 256]));
    expect(large.byteLength).toBeGreaterThan(MIB);
    await put('large.npy', large);
    expect((await bytesOf(await get('large.npy'))).equals(Buffer.from(large))).toBe(true);
    expect(await codeOf(put('large2.npy', large, { userMetadata: { 'lbx-model': 'bundled' } }))).toBe('EntityTooLarge');
  });
});

describe('a broken latent', () => {
  const npy = writeNpy(latent());
  it.each([
    ['with channels that no model has', writeNpy(latent(1, [5, 8, 8])), {}, 'InvalidRequest'],
    ['that is truncated', npy.subarray(0, npy.byteLength - 1), {}, 'InvalidRequest'],
    [
      'with a safetensors header that is no JSON',
      Buffer.concat([Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"a":nope')]),
      {},
      'InvalidRequest',
    ],
    [
      'with a declared header of 1 GB',
      Buffer.concat([Buffer.from([0, 0, 0, 64, 0, 0, 0, 0]), Buffer.from('{"a":{}}')]),
      {},
      'InvalidRequest',
    ],
    ['for a model that is not installed', npy, { 'lbx-model': 'absent' }, 'InvalidRequest'],
    ['with a hint that makes no sense', npy, { 'lbx-scaled': 'perhaps' }, 'InvalidArgument'],
    ['that decodes to more pixels than are allowed', writeNpy(latent(1, [16, 8, 2048 + 16])), {}, 'InvalidRequest'],
    ['of a batch', writeNpy(latent(1, [2, 16, 8, 8])), {}, 'InvalidRequest'],
  ])('%s is refused, and nothing is stored', async (_what, bytes, userMetadata, code) => {
    expect(await codeOf(put('broken.png', bytes, { userMetadata }))).toBe(code);
    expect(await codeOf(head('broken.png'))).toBe('NoSuchKey');
  });

  it('leaves the object that was there', async () => {
    const { etag } = await put('a.png', npy);
    expect(await codeOf(put('a.png', npy.subarray(0, 300)))).toBe('InvalidRequest');
    expect((await head('a.png')).info.etag).toBe(etag);
  });
});

describe('a small cache', () => {
  /** Room for a few of the pictures. */
  const SMALL = 50 * 1024;
  let close: () => Promise<void>;

  beforeEach(async () => {
    close = await createStore('none', SMALL);
    await backing.createBucket(BUCKET);
    return () => close();
  });

  it('brings the latent of an evicted image that had been asked for back in the background', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for (const [i, key] of keys.entries()) {
      await put(key, writeNpy(latent(i + 1)));
      for (let n = 0; n < 4; n += 1) await get(key);
    }
    await expect.poll(() => created.refetch.counts.fetched).toBeGreaterThan(0);
    await expect.poll(() => cache.statistics().latentEntries).toBeGreaterThan(0);
    outcomes.length = 0;
    const renders = gate.renders;
    for (const key of keys) await get(key);
    expect(outcomes).toContain('latent-hit');
    expect(gate.renders).toBeGreaterThan(renders);
  });

  it('never serves what a key no longer is, whatever happens to it at once', async () => {
    const step = fc.record({
      kind: fc.constantFrom('get', 'get', 'get', 'put', 'delete'),
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      seed: fc.integer({ min: 1, max: 50 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { maxLength: 6 }), async (rounds) => {
        for (const round of rounds) {
          await Promise.allSettled(
            round.map(async ({ kind, key, seed }) => {
              if (kind === 'put') await put(key, writeNpy(latent(seed)));
              else if (kind === 'delete') await created.store.deleteObject(BUCKET, key, {}, signal);
              else await bytesOf(await get(key));
            }),
          );
          for (const key of ['a', 'b', 'c', 'd']) {
            const cached = await answer(key);
            cache.delete(`${BUCKET}/${key}`);
            expect(await answer(key)).toEqual(cached);
          }
        }
      }),
      { numRuns: 12 },
    );
  });

  async function answer(key: string) {
    try {
      const content = await get(key);
      return { etag: content.info.etag, png: (await bytesOf(content)).toString('base64') };
    } catch (error) {
      return error instanceof S3Error ? error.code : error;
    }
  }
});

describe('the policy encode', () => {
  /** A PNG of what a latent decodes to, as another program would have saved it. */
  async function ownPng(): Promise<Buffer> {
    await put('source.npy', writeNpy(latent(3)));
    const pixels = await sharp(await bytesOf(await get('source.npy')))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = pixels.info;
    return sharp(pixels.data, { raw: { width, height, channels: 3 } })
      .png({ adaptiveFiltering: true })
      .toBuffer();
  }

  it('stores a PNG as a latent of the uploaded length, and says how near it is', async () => {
    const png = await ownPng();
    const attributes = 'uid:0/md5:d41d8cd98f00b204e9800998ecf8427e/mode:33188';
    const userMetadata = { note: 'mine', md5chksum: 'AAAA', 's3cmd-attrs': attributes };
    const result = await put('encode/a.png', png, { userMetadata });
    expect(result.extraHeaders).toMatchObject({ 'x-lbx-storage': 'latent', 'x-lbx-model': 'bundled' });
    const { info } = await head('encode/a.png');
    expect(info.userMetadata).toEqual({ note: 'mine', 's3cmd-attrs': 'uid:0/mode:33188' });
    expect([info.size, info.etag]).toEqual([png.byteLength, result.etag]);
    expect(info.extraHeaders?.['x-lbx-psnr']).toBe(result.extraHeaders?.['x-lbx-psnr']);
    const listed = await created.store.listObjects(BUCKET, { prefix: 'encode/', maxKeys: 10 }, signal);
    expect(listed.objects.map(({ size }) => size)).toEqual([png.byteLength]);
    const served = await bytesOf(await get('encode/a.png'));
    expect(served.byteLength).toBe(png.byteLength);
    const [a, b] = await Promise.all([served, png].map((file) => sharp(file).raw().toBuffer()));
    if (!a || !b) throw new Error('no pixels');
    expect(psnr(a, b)).toBeGreaterThanOrEqual(Number(result.extraHeaders?.['x-lbx-psnr']));
    expect(conversions).toEqual(['latent']);
  });

  it('keeps a PNG that no model comes near byte for byte, and says why', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 2_654_435_761) >>> 24);
    const png = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .png()
      .toBuffer();
    const userMetadata = { md5chksum: 'AAAA' };
    const { extraHeaders } = await put('encode/noise.png', png, { userMetadata });
    expect(extraHeaders).toMatchObject({ 'x-lbx-storage': 'verbatim', 'x-lbx-reason': 'under-floor' });
    const content = await get('encode/noise.png');
    expect(content.info.userMetadata).toEqual(userMetadata);
    expect(Buffer.compare(await bytesOf(content), png)).toBe(0);
  });

  it('lets the client name the model, and refuses one that is not installed', async () => {
    const png = await ownPng();
    const named = (model: string) => put('encode/n.png', png, { userMetadata: { 'lbx-model': model } });
    expect((await named('bundled')).extraHeaders?.['x-lbx-storage']).toBe('latent');
    expect(await codeOf(named('nobody'))).toBe('InvalidRequest');
  });

  it('takes latents as ever, keeps other files, and files over the limit', async () => {
    const stored = async (key: string, bytes: Uint8Array) => (await put(key, bytes)).extraHeaders;
    expect(await stored('encode/l.npy', writeNpy(latent()))).toMatchObject({ 'x-lbx-storage': 'latent' });
    expect(await stored('encode/t.txt', Buffer.from('hello'))).toEqual({ 'x-lbx-storage': 'verbatim' });
    const large = Buffer.concat([await ownPng(), Buffer.alloc(MIB)]);
    expect(await stored('encode/big.png', large)).toMatchObject({ 'x-lbx-reason': 'too-large' });
    expect(conversions).toEqual([]);
  });

  it('renders it again at the uploaded length', async () => {
    const png = await ownPng();
    await put('strict/a.png', png);
    for (let i = 0; i < 2; i++) expect((await bytesOf(await get('strict/a.png'))).byteLength).toBe(png.byteLength);
    expect(outcomes.slice(-2)).toEqual(['miss', 'latent-hit']);
  });
});
