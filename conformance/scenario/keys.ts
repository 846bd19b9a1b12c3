/** Keys that clients, proxies and servers like to change on the way. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { downloaded, keysUnder } from './objects.js';
import type { Scene, Step } from './step.js';

/** Each is a file's name too, so that clients that copy folders meet all in one go. */
const ODD_NAMES: readonly string[] = [
  'with spaces  twice.txt',
  'plus+and+plus',
  'percent%2Fencoded%20',
  'ünïcode 日本語 😀.png',
  `quotes'"&<angle>`,
  'hash#and?question=1&x',
  '~tilde!$()*,;=@:.txt',
];

/** No path of a file system: only a store that keeps keys apart from paths holds them. */
export const PATH_LIKE_KEYS: readonly string[] = ['/leading-slash', 'odd/a/../b', 'odd//double', 'odd/./dot'];

export const KEEPS_PATH_LIKE_KEYS = 'keeps keys with a leading slash, `//`, `.` and `..`';

export const keySteps: readonly Step[] = [
  {
    title: 'keeps keys with spaces, `+`, `%2F`, quotes, `#`, `?` and any script',
    run: async (scene) => {
      const { session, bucket, scratch } = scene;
      const [up, down] = [join(scratch, 'up'), join(scratch, 'down')];
      for (const folder of [up, down]) await mkdir(folder);
      for (const name of ODD_NAMES) await writeFile(join(up, name), `bytes of ${name}`);
      await uploadFolder(scene, up);
      expect(await keysUnder(scene, 'odd/')).toEqual(ODD_NAMES.map((name) => `odd/${name}`).sort());
      await downloadFolder(scene, down);
      expect((await readdir(down)).sort()).toEqual(ODD_NAMES.toSorted());
      for (const name of ODD_NAMES) expect(await readFile(join(down, name), 'utf8')).toBe(`bytes of ${name}`);
      await session.removeAll(bucket, 'odd/');
      expect(await keysUnder(scene, 'odd/')).toEqual([]);
    },
  },
  {
    title: KEEPS_PATH_LIKE_KEYS,
    onlyOn: 'filesystem',
    run: async (scene) => {
      const { session, bucket, scratch } = scene;
      const keys = PATH_LIKE_KEYS;
      for (const key of keys) {
        await writeFile(join(scratch, 'file'), `bytes of ${key}`);
        await session.upload(join(scratch, 'file'), bucket, key);
      }
      for (const key of keys) expect((await downloaded(scene, key)).toString()).toBe(`bytes of ${key}`);
      expect(await keysUnder(scene, 'odd/')).toEqual(keys.filter((key) => key.startsWith('odd/')).sort());
      for (const key of keys) await session.remove(bucket, key);
      expect(await keysUnder(scene, 'odd/')).toEqual([]);
    },
  },
];

/** In one go where the client copies folders, else file by file. */
async function uploadFolder({ session, bucket }: Scene, folder: string): Promise<void> {
  if (session.syncUp) await session.syncUp(folder, bucket, 'odd');
  else for (const name of ODD_NAMES) await session.upload(join(folder, name), bucket, `odd/${name}`);
}

async function downloadFolder({ session, bucket }: Scene, folder: string): Promise<void> {
  if (session.syncDown) await session.syncDown(bucket, 'odd', folder);
  else for (const name of ODD_NAMES) await session.download(bucket, `odd/${name}`, join(folder, name));
}
