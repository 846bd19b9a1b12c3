/** Folders and prefixes are made equal, and the second time there is nothing to do. */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { count } from './objects.js';
import type { Scene, Step } from './step.js';

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
    title: 'syncs a prefix with latents down and up again; nothing moves twice',
    needs: ['syncUp', 'syncDown'],
    run: async (scene) => {
      const { session, bucket, fixtures, scratch } = scene;
      await session.upload(fixtures.latent, bucket, 'synced/cat.png');
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
  return folder;
}
