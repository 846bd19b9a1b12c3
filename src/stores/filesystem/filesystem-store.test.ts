import { cp, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodyOf, connected, md5, noise, PLAIN, put, read } from '../testing/contract/context.js';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../testing/temporary-directory.js';
import { FilesystemStore } from './filesystem-store.js';

describe('the filesystem store on the disk', () => {
  let directory: TemporaryDirectory;
  let store: FilesystemStore;
  const at = (...names: string[]) => join(directory.path, ...names);
  const staged = async () => {
    const areas = at('.latentbox', 'objects', 'staging');
    const files = await Promise.all((await readdir(areas)).map((area) => readdir(join(areas, area))));
    return files.flat().filter((name) => name !== 'owner.json');
  };

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    store = new FilesystemStore(directory.path);
    await store.start();
    await store.createBucket('images');
  });
  afterEach(async () => {
    await store.close();
    await directory.remove();
  });

  it('keeps an object in a plain file of its own name that holds exactly its bytes', async () => {
    const bytes = noise(100_000);
    await put(store, 'images', 'cats/tom.png', bytes);
    expect(await readFile(at('images', 'cats', 'tom.png'))).toEqual(bytes);
  });

  it('never writes outside of the bucket folder', async () => {
    for (const key of ['../escaped', '/etc/escaped', 'a/../../escaped', '..', '../.latentbox/objects/x'])
      await put(store, 'images', key, 'x');
    expect((await readdir(directory.path)).sort()).toEqual(['.latentbox', 'images']);
    await expect(store.createBucket('..')).rejects.toMatchObject({ code: 'InvalidBucketName' });
    await expect(put(store, '.latentbox', 'x', 'x')).rejects.toMatchObject({ code: 'NoSuchBucket' });
  });

  it('removes empty folders behind a deleted object, and the folder of a deleted bucket', async () => {
    await put(store, 'images', 'a/b/c', 'x');
    await put(store, 'images', 'a/d', 'x');
    await store.deleteObject('images', 'a/b/c', {});
    expect(await readdir(at('images', 'a'))).toEqual(['d']);
    await store.deleteObject('images', 'a/d', {});
    expect(await readdir(at('images'))).toEqual([]);
    await store.deleteBucket('images');
    expect(await readdir(directory.path)).toEqual(['.latentbox']);
  });

  it('leaves no staged file behind, whatever became of the upload', async () => {
    await put(store, 'images', 'k', 'x');
    await expect(put(store, 'images', 'k', 'x', { contentLength: 5 })).rejects.toMatchObject({
      code: 'IncompleteBody',
    });
    await expect(put(store, 'images', 'k', 'x', { conditions: { ifNoneMatch: ['*'] } })).rejects.toMatchObject({
      code: 'PreconditionFailed',
    });
    const checksum = { algorithm: 'CRC32', value: () => 'AAAAAA==' } as const;
    await expect(put(store, 'images', 'k', 'x', { checksum })).rejects.toMatchObject({ code: 'BadDigest' });
    expect(await staged()).toEqual([]);
  });

  it('sweeps the temporaries of dead processes at start and leaves those of live ones', async () => {
    const areas = at('.latentbox', 'objects', 'staging');
    const owner = JSON.parse(
      await readFile(join(areas, (await readdir(areas))[0] ?? '', 'owner.json'), 'utf8'),
    ) as object;
    await store.close();
    await mkdir(join(areas, 'dead'), { recursive: true });
    await writeFile(join(areas, 'dead', 'owner.json'), JSON.stringify({ ...owner, pid: 2 ** 22 + 1 }));
    await writeFile(join(areas, 'dead', '1'), 'half a body');
    await mkdir(join(areas, 'predecessor'));
    await writeFile(join(areas, 'predecessor', 'owner.json'), JSON.stringify(owner));
    const parent = await readFile(`/proc/${process.ppid}/stat`, 'utf8');
    const started = parent.slice(parent.lastIndexOf(')') + 2).split(' ')[19];
    await mkdir(join(areas, 'alive'));
    await writeFile(join(areas, 'alive', 'owner.json'), JSON.stringify({ ...owner, pid: process.ppid, started }));
    await mkdir(at('.latentbox', 'objects', 'uploads', 'forgotten'), { recursive: true });
    await store.start();
    const left = await readdir(areas);
    expect(left).toContain('alive');
    expect(left).not.toContain('dead');
    expect(left).not.toContain('predecessor');
    expect(await readdir(at('.latentbox', 'objects', 'uploads'))).toEqual([]);
  });

  it('keeps objects, uploads, tags and documents over a restart', async () => {
    await put(store, 'images', 'k', 'x', { tags: { t: '1' } });
    await store.putBucketDocument('images', 'cors', '<CORSConfiguration/>');
    const { uploadId } = await store.createMultipartUpload('images', 'u', PLAIN);
    await store.uploadPart('images', 'u', uploadId, 1, bodyOf('part'), {}, connected);
    await store.close();
    await store.start();
    expect(await store.getObjectTags('images', 'k')).toEqual({ t: '1' });
    expect(await store.getBucketDocument('images', 'cors')).toBe('<CORSConfiguration/>');
    await store.completeMultipartUpload('images', 'u', uploadId, [{ partNumber: 1, etag: md5('part') }], {}, connected);
    expect((await read(store, 'images', 'u')).toString()).toBe('part');
  });

  it('recognises bodies by their content where a restored copy has new times', async () => {
    await put(store, 'images', 'k', 'the bytes');
    await store.close();
    const copy = await makeTemporaryDirectory();
    try {
      await cp(directory.path, copy.path, { recursive: true });
      await utimes(join(copy.path, 'images', 'k'), 1, 1);
      const restored = new FilesystemStore(copy.path);
      await restored.start();
      expect((await read(restored, 'images', 'k')).toString()).toBe('the bytes');
      await restored.close();
    } finally {
      await copy.remove();
      await store.start();
    }
  });

  it('never serves a file that was changed or removed from outside', async () => {
    await put(store, 'images', 'changed', 'the bytes');
    await put(store, 'images', 'removed', 'the bytes');
    await store.close();
    await store.start();
    await writeFile(at('images', 'changed'), 'not bytes');
    await rm(at('images', 'removed'));
    for (const key of ['changed', 'removed'])
      await expect(store.getObject('images', key, {}, connected)).rejects.toMatchObject({ code: 'InternalError' });
  });

  it('never pairs a body with the metadata of another version while readers and writers race', async () => {
    const body = (n: number) => noise(2000, n + 1);
    await put(store, 'images', 'k', body(0), { userMetadata: { n: '0' } });
    let writing = true;
    const writer = (async () => {
      for (let n = 1; n <= 60; n++) await put(store, 'images', 'k', body(n), { userMetadata: { n: String(n) } });
      writing = false;
    })();
    let reads = 0;
    const reader = async () => {
      while (writing) {
        const { info, body: got } = await store.getObject('images', 'k', {}, connected);
        expect(md5(got as Uint8Array)).toBe(info.etag);
        expect(md5(body(Number(info.userMetadata['n'])))).toBe(info.etag);
        const [listed] = (await store.listObjects('images', { maxKeys: 1 })).objects;
        expect(listed?.size).toBe(2000);
        reads++;
      }
    };
    await Promise.all([writer, reader(), reader(), reader()]);
    expect(reads).toBeGreaterThan(20);
  });

  it('reads on from an object that is replaced or deleted meanwhile', async () => {
    const bytes = noise(3_000_000);
    await put(store, 'images', 'k', bytes);
    const { body } = await store.getObject('images', 'k', {}, connected);
    await store.deleteObject('images', 'k', {});
    await put(store, 'images', 'k', 'new');
    const chunks: Uint8Array[] = [];
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
    expect(md5(Buffer.concat(chunks))).toBe(md5(bytes));
  });

  it('says so when what it cannot do is asked for', async () => {
    const passThroughHeaders = { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' };
    await expect(put(store, 'images', 'k', 'x', { passThroughHeaders })).rejects.toMatchObject({
      code: 'NotImplemented',
    });
    await expect(store.putBucketDocument('images', 'versioning', '<x/>')).rejects.toMatchObject({
      code: 'NotImplemented',
    });
    expect(await store.getBucketDocument('images', 'versioning')).toBeUndefined();
    await expect(store.getObject('images', 'k', { versionId: 'abc' }, connected)).rejects.toMatchObject({
      code: 'NoSuchVersion',
    });
  });
});
