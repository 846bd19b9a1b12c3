/** kill -9 at any moment. The writer runs compiled (`npm run build`), since Node 20 runs no TypeScript. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { keysOf, md5, read } from '../testing/contract/context.js';
import { CRASH_BUCKET, CRASH_KEYS, crashBody, isDelete, isMultipart } from '../testing/crash-journal.js';
import { makeTemporaryDirectory } from '../testing/temporary-directory.js';
import { FilesystemStore } from './filesystem-store.js';

const ROUNDS = 32;
const MAX_LIFE_MS = 120;
const WRITER = fileURLToPath(new URL('../../../dist/src/stores/testing/crash-writer.js', import.meta.url));

/** Steps after which a key may be found, by key: the last one that was answered and any that was begun since. */
type Possible = Map<string, Set<number>>;

async function writeUntilKilled(directory: string, round: number, possible: Possible): Promise<number> {
  const child = spawn(process.execPath, [WRITER, directory, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  let killed: Promise<void> | undefined;
  let done = 0;
  for await (const line of lines) {
    killed ??= delay(Math.random() * MAX_LIFE_MS).then(() => void child.kill('SIGKILL'));
    const [what, key = '', step] = line.split(' ');
    const n = Number(step);
    if (what === 'begin') possible.set(key, new Set([...(possible.get(key) ?? []), n]));
    else {
      possible.set(key, new Set([n]));
      done++;
    }
  }
  await exited;
  await killed;
  return done;
}

async function checkKey(store: FilesystemStore, key: string, steps: ReadonlySet<number>): Promise<number | undefined> {
  let info;
  try {
    ({ info } = await store.headObject(CRASH_BUCKET, key, {}));
  } catch (error) {
    expect(error).toMatchObject({ code: 'NoSuchKey' });
    expect([...steps].some((n) => n < 0 || isDelete(n))).toBe(true);
    return undefined;
  }
  const n = Number(info.userMetadata['n']);
  expect(steps.has(n) && !isDelete(n)).toBe(true);
  const bytes = await read(store, CRASH_BUCKET, key);
  expect(bytes.equals(crashBody(key, n))).toBe(true);
  expect(info.size).toBe(bytes.length);
  if (!isMultipart(n)) expect(info.etag).toBe(md5(bytes));
  return n;
}

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

it(`a killed writer leaves every key old or new, whole, and nothing else (${ROUNDS} rounds)`, async () => {
  expect(existsSync(WRITER), 'the compiled writer is missing: run npm run build').toBe(true);
  const directory = await makeTemporaryDirectory();
  const store = new FilesystemStore(directory.path);
  await store.start();
  await store.createBucket(CRASH_BUCKET);
  await store.close();
  const possible: Possible = new Map(CRASH_KEYS.map((key) => [key, new Set([-1])]));
  let done = 0;
  for (let round = 0; round < ROUNDS; round++) {
    done += await writeUntilKilled(directory.path, round, possible);
    await store.start();
    const found: string[] = [];
    for (const key of CRASH_KEYS) {
      const n = await checkKey(store, key, possible.get(key) ?? new Set());
      if (n !== undefined) found.push(key);
      possible.set(key, new Set([n ?? -1]));
    }
    expect(new Set(await keysOf(store, CRASH_BUCKET))).toEqual(new Set(found));
    expect(await filesUnder(join(directory.path, CRASH_BUCKET))).toHaveLength(found.length);
    const staged = await filesUnder(join(directory.path, '.latentbox', 'objects', 'staging'));
    expect(staged.filter((file) => !file.endsWith('owner.json'))).toEqual([]);
    const { uploads } = await store.listMultipartUploads(CRASH_BUCKET, { maxUploads: 1000 });
    expect(await filesUnder(join(directory.path, '.latentbox', 'objects', 'uploads'))).toHaveLength(
      await partsOf(store, uploads),
    );
    for (const { key, uploadId } of uploads) await store.abortMultipartUpload(CRASH_BUCKET, key, uploadId);
    await store.close();
  }
  expect(done).toBeGreaterThan(ROUNDS);
  await directory.remove();
}, 240_000);

async function partsOf(store: FilesystemStore, uploads: readonly { key: string; uploadId: string }[]): Promise<number> {
  let count = 0;
  for (const { key, uploadId } of uploads)
    count += (await store.listParts(CRASH_BUCKET, key, uploadId, { maxParts: 1000 })).parts.length;
  return count;
}
