/** Objects go up, come down, are listed, copied and removed. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import type { LoggedRequest } from '../support/access-log.js';
import { LARGE_BYTES, sha256OfFile } from './fixtures.js';
import type { Scene, Step } from './step.js';

export const FAILS_ON_NOTHING = 'fails where the object is not there';

export const objectSteps: readonly Step[] = [
  {
    title: 'makes a bucket and sees it',
    run: async ({ session, bucket }) => {
      await session.makeBucket(bucket);
      expect(await session.buckets()).toContain(bucket);
    },
  },
  {
    title: 'stores a latent, sees the size of its PNG, and reads the PNG',
    run: async ({ session, bucket, fixtures, scratch }) => {
      const file = join(scratch, 'cat.png');
      await session.upload(fixtures.latent, bucket, 'pictures/cat.png', { becomesPng: true });
      await session.download(bucket, 'pictures/cat.png', file);
      const { format, width, height } = await sharp(file).metadata();
      expect({ format, width, height }).toEqual({ format: 'png', width: 448, height: 296 });
      const { size } = await stat(file);
      expect(await session.list(bucket, 'pictures/')).toEqual([{ key: 'pictures/cat.png', size }]);
    },
  },
  {
    title: 'stores a PNG and an empty file byte for byte',
    run: async ({ session, bucket, fixtures, scratch }) => {
      for (const [source, key] of [
        [fixtures.png, 'files/coffee.png'],
        [fixtures.empty, 'files/empty'],
      ] as const) {
        const file = join(scratch, 'back');
        await session.upload(source, bucket, key);
        await session.download(bucket, key, file);
        expect((await readFile(file)).equals(await readFile(source)), key).toBe(true);
      }
    },
  },
  {
    title: 'stores a large file in parts',
    run: async ({ session, bucket, fixtures, scratch, requests }) => {
      const file = join(scratch, 'large');
      const sent = await requests(() => session.upload(fixtures.large, bucket, 'large.bin'));
      expect(count(sent, 'UploadPart')).toBeGreaterThanOrEqual(2);
      await session.download(bucket, 'large.bin', file);
      expect(await sha256OfFile(file)).toBe(await sha256OfFile(fixtures.large));
      expect(await session.list(bucket, 'large')).toEqual([{ key: 'large.bin', size: LARGE_BYTES }]);
    },
  },
  {
    title: 'reads a range of a PNG that is stored as a latent',
    needs: ['readRange'],
    run: async (scene) => {
      const whole = await scene.known('pictures/cat.png');
      const range = await scene.session.readRange?.(scene.bucket, 'pictures/cat.png', 1000, 500);
      expect(Buffer.from(range ?? []).equals(whole.subarray(1000, 1500))).toBe(true);
    },
  },
  {
    title: 'copies a latent and a PNG',
    run: async (scene) => {
      for (const [from, to] of [
        ['pictures/cat.png', 'copies/cat.png'],
        ['files/coffee.png', 'copies/coffee.png'],
      ] as const) {
        await scene.session.copy(scene.bucket, from, to);
        expect((await downloaded(scene, to)).equals(await scene.known(from)), to).toBe(true);
      }
    },
  },
  {
    title: 'moves an object',
    needs: ['move'],
    run: async (scene) => {
      await scene.session.move?.(scene.bucket, 'copies/cat.png', 'moved/cat.png');
      expect((await downloaded(scene, 'moved/cat.png')).equals(await scene.known('pictures/cat.png'))).toBe(true);
      expect(await keysUnder(scene, 'copies/')).toEqual(['copies/coffee.png']);
    },
  },
  {
    title: 'keeps content type and metadata',
    needs: ['contentTypeAndMetadata'],
    run: async ({ session, bucket, fixtures }) => {
      const options = { contentType: 'text/x-conformance', metadata: { colour: 'blue', 'two-words': 'a b' } };
      await session.upload(fixtures.text, bucket, 'described', options);
      expect(await session.contentTypeAndMetadata?.(bucket, 'described')).toMatchObject(options);
    },
  },
  {
    title: FAILS_ON_NOTHING,
    run: async ({ session, bucket, scratch }) => {
      await expect(session.download(bucket, 'nothing-here', join(scratch, 'nothing'))).rejects.toThrow();
    },
  },
  {
    title: 'removes one object, and no other',
    run: async ({ session, bucket, ...scene }) => {
      await session.remove(bucket, 'files/empty');
      expect(await keysUnder({ session, bucket, ...scene }, 'files/')).toEqual(['files/coffee.png']);
    },
  },
];

/** The last one of all. */
export const emptyBucketStep: Step = {
  title: 'empties the bucket and removes it',
  run: async ({ session, bucket }) => {
    await session.removeAll(bucket, '');
    expect(await session.list(bucket, '')).toEqual([]);
    await session.removeBucket(bucket);
    expect(await session.buckets()).not.toContain(bucket);
  },
};

export function count(requests: readonly LoggedRequest[], operation: string): number {
  return requests.filter((request) => request.operation === operation && request.status < 300).length;
}

export async function downloaded({ session, bucket, scratch }: Scene, key: string): Promise<Buffer> {
  const file = join(scratch, 'downloaded');
  await session.download(bucket, key, file);
  return readFile(file);
}

export async function keysUnder({ session, bucket }: Scene, prefix: string): Promise<string[]> {
  return (await session.list(bucket, prefix)).map(({ key }) => key).sort();
}
