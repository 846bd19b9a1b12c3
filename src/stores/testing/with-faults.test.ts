import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FilesystemStore } from '../filesystem/filesystem-store.js';
import { bodyOf, bytesOf, connected, keysOf, noise, PLAIN, put, read } from './contract/context.js';
import { describeObjectStore } from './object-store-contract.js';
import { makeTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.js';
import { withFaults, type Faults, type FaultStage } from './with-faults.js';

const calm: Faults = { random: () => 0, sleep: () => Promise.resolve() };

describeObjectStore('a store that is only slow', async () => {
  const directory = await makeTemporaryDirectory();
  const store = withFaults(new FilesystemStore(directory.path), { ...calm, latency: () => 1 });
  await store.start();
  return {
    store,
    close: async () => {
      await store.close();
      await directory.remove();
    },
  };
});

describe('a store with faults', () => {
  let directory: TemporaryDirectory;
  let store: FilesystemStore;
  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
    store = new FilesystemStore(directory.path);
    await store.start();
    await store.createBucket('bucket');
  });
  afterAll(async () => {
    await store.close();
    await directory.remove();
  });
  const failing = (stage: FaultStage) => withFaults(store, { ...calm, failure: () => stage });

  it('waits as long as it is told, by the clock that it is given', async () => {
    const waits: number[] = [];
    const slow = withFaults(store, {
      random: () => 0.5,
      latency: (operation, random) => (operation === 'listBuckets' ? 40 * random() : 0),
      sleep: (milliseconds) => Promise.resolve(waits.push(milliseconds)),
    });
    await slow.listBuckets();
    await slow.headBucket('bucket');
    expect(waits).toEqual([20]);
  });

  it('fails before the store hears of it, and destroys the body', async () => {
    const body = bodyOf('x');
    await expect(failing('before').putObject('bucket', 'k', body, PLAIN, connected)).rejects.toMatchObject({
      code: 'SlowDown',
    });
    expect(body.destroyed).toBe(true);
    expect(await keysOf(store, 'bucket')).toEqual([]);
  });

  it('loses the answer of what it did', async () => {
    await expect(put(failing('after'), 'bucket', 'done', 'x')).rejects.toMatchObject({ code: 'SlowDown' });
    expect((await read(store, 'bucket', 'done')).toString()).toBe('x');
  });

  it('breaks off a read half-way', async () => {
    for (const size of [1000, 3_000_000]) {
      await put(store, 'bucket', 'big', noise(size));
      const { body } = await failing('body').getObject('bucket', 'big', {}, connected);
      await expect(bytesOf(body)).rejects.toMatchObject({ code: 'SlowDown' });
    }
  });
});
