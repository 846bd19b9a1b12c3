/** Folders and prefixes are made equal, and the second time there is nothing to do. */
import { cp, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { count } from './objects.js';
import type { Scene, Step } from './step.js';

export const NOTHING_TO_SEND_BACK = 'syncs up what it synced down; nothing is sent';

export const folderSteps: readonly Step[] = [
  {
    title: 'syncs a folder up; the second time nothing is sent',
    needs: ['syncUp'],
    run: async (scene) => {
      const { session, bucket } = scene;
      const folder = await sampleFolder(scene);
      const first = await scene.requests(async () => session.syncUp?.(folder, bucket, 'synced'));
      expect(count(first, 'PutObject')).toBe(3);
      const second = await scene.requests(async () => session.syncUp?.(folder, bucket, 'synced'));
      expect(count(second, 'PutObject') + count(second, 'CreateMultipartUpload')).toBe(0);
      await writeFile(join(folder, 'note.txt'), 'another text, of another length');
      const third = await scene.requests(async () => session.syncUp?.(folder, bucket, 'synced'));
      expect(count(third, 'PutObject')).toBe(1);
    },
  },
  {
    title: 'syncs a prefix with latents down; the second time nothing is read',
    needs: ['syncUp', 'syncDown'],
    run: async (scene) => {
      const { session, bucket, fixtures, scratch } = scene;
      await session.upload(fixtures.latent, bucket, 'synced/cat.png', { becomesPng: true });
      const folder = join(scratch, 'down');
      await mkdir(folder);
      const first = await scene.requests(async () => session.syncDown?.(bucket, 'synced', folder));
      expect(count(first, 'GetObject')).toBe(4);
      expect((await readdir(folder, { recursive: true })).sort()).toEqual([
        'cat.png',
        'coffee.png',
        'deep',
        'deep/er',
        'deep/er/text',
        'note.txt',
      ]);
      expect((await readFile(join(folder, 'coffee.png'))).equals(await readFile(fixtures.png))).toBe(true);
      const second = await scene.requests(async () => session.syncDown?.(bucket, 'synced', folder));
      expect(count(second, 'GetObject')).toBe(0);
    },
  },
  {
    title: NOTHING_TO_SEND_BACK,
    needs: ['syncUp', 'syncDown'],
    run: async (scene) => {
      const { session, bucket, scratch } = scene;
      const folder = join(scratch, 'down');
      await mkdir(folder);
      await session.syncDown?.(bucket, 'synced', folder);
      const back = await scene.requests(async () => session.syncUp?.(folder, bucket, 'synced'));
      expect(count(back, 'PutObject')).toBe(0);
    },
  },
];

async function sampleFolder({ fixtures, scratch }: Scene): Promise<string> {
  const folder = join(scratch, 'up');
  await mkdir(join(folder, 'deep/er'), { recursive: true });
  await cp(fixtures.png, join(folder, 'coffee.png'));
  await cp(fixtures.text, join(folder, 'deep/er/text'));
  await writeFile(join(folder, 'note.txt'), 'a note');
  // Files that are older than their upload by more than S3's whole seconds, as files mostly are.
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const name of ['coffee.png', 'deep/er/text', 'note.txt']) await utimes(join(folder, name), yesterday, yesterday);
  return folder;
}
