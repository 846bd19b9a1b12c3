/** Migration over the real filesystem store, cut off at every single call to it, and among other writers. */
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { S3Error, type ObjectStore } from '../../s3-api/index.js';
import { factsFromMetadata } from '../latents/facts.js';
import { readAll } from '../latents/read-all.js';
import { FilesystemStore } from '../stores/filesystem/filesystem-store.js';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../stores/testing/temporary-directory.js';
import { ObjectExaminer } from './examine-object.js';
import { jobName } from './journal.js';
import { LmdbJournal } from './lmdb-journal.js';
import { ObjectMigrator } from './migrate-object.js';
import { Originals, STAGING_PREFIX } from './originals.js';
import { RateLimiter } from './rate-limiter.js';
import { ObjectReplacer } from './replace-object.js';
import { reportOf } from './report.js';
import { runMigration, type RunOptions } from './run.js';
import { SidecarFinder } from './sidecars.js';
import { PoolingConverter } from './testing/pooling-converter.js';

const BUCKET = 'images';
const MIB = 1 << 20;
const never = new AbortController().signal;
const here = { bucket: BUCKET, prefix: '' };

let directory: TemporaryDirectory;
let files: FilesystemStore;
let store: ObjectStore;
let pictures: Map<string, Uint8Array>;
beforeEach(async () => {
  directory = await makeTemporaryDirectory();
  files = new FilesystemStore(`${directory.path}/data`);
  await files.start();
  store = files;
  await store.createBucket(BUCKET, never);
  pictures = new Map();
  for (const [i, key] of ['a.png', 'b/c.png', 'd e+%2F.png'].entries()) {
    pictures.set(key, await noise(64 + 8 * i, 64));
    await put(store, key, pictures.get(key) ?? new Uint8Array());
  }
  await put(store, 'notes.txt', Buffer.from('not a picture'));
});
afterEach(async () => {
  await files.close();
  await directory.remove();
});

interface Setting {
  readonly through?: ObjectStore;
  readonly converter?: PoolingConverter;
  readonly to?: typeof here;
  readonly keepUnder?: string;
  readonly concurrency?: number;
}

/** One run of the program: everything is opened anew, as after a crash. */
async function run({
  through = store,
  converter = new PoolingConverter(),
  to = here,
  keepUnder,
  concurrency = 1,
}: Setting = {}) {
  const journal = await LmdbJournal.open(`${directory.path}/state`, jobName('test', here, to));
  try {
    const originals = new Originals({
      store: through,
      bucket: BUCKET,
      versioned: false,
      ...(keepUnder && { keepUnder }),
    });
    const clock = () => performance.now();
    const common = { store: through, journal, from: here, to, settings: 'test', clock };
    const replacer = new ObjectReplacer({ ...common, originals });
    const options: RunOptions = {
      ...common,
      replacer,
      migrator: new ObjectMigrator({
        ...common,
        examiner: new ObjectExaminer({
          ...common,
          converter,
          sidecars: new SidecarFinder(through, BUCKET, MIB),
          maxPictureBytes: MIB,
        }),
        replacer,
        onConverted: () => Promise.resolve(),
      }),
      ignore: originals.ownPrefixes,
      concurrency,
      objectRate: unlimited(),
      byteRate: unlimited(),
      maxTries: 3,
      sleep: () => Promise.resolve(),
      onProgress: () => undefined,
    };
    const progress = await runMigration(options, never, never);
    return { progress, report: await reportOf(BUCKET, BUCKET, journal.all()) };
  } finally {
    await journal.close();
  }
}

describe('a migration in place', () => {
  it('replaces pictures by containers, leaves all else, and keeps nothing aside', async () => {
    const { report } = await run();
    expect(report).toMatchObject({ objects: 4, converted: 3, verbatim: 1, unsettled: 0, failed: [] });
    for (const key of pictures.keys()) expect(await isLatent(key)).toBe(true);
    expect(Buffer.from(await read('notes.txt')).toString()).toBe('not a picture');
    expect(await keys()).toEqual(['a.png', 'b/c.png', 'd e+%2F.png', 'notes.txt']);
  });

  it('converts nothing a second time', async () => {
    await run();
    const converter = new PoolingConverter();
    const { progress } = await run({ converter });
    expect(converter.conversions).toBe(0);
    expect(progress.outcomes.converted).toBe(3);
  });

  it('ends well wherever it was cut off before, with every object there once and each conversion stored once', async () => {
    const calls = new CallCounter(store);
    await run({ through: calls.store });
    const total = calls.count;
    for (let cut = 1; cut <= total; cut++) {
      for (const when of ['before', 'after'] as const) {
        await startOver();
        const writes = new Map<string, number>();
        const cutting = new CallCounter(store, { at: cut, when }, writes);
        await expect(run({ through: cutting.store })).rejects.toThrow('cut off');
        const { report } = await run({ through: new CallCounter(store, undefined, writes).store });
        expect(report, `${when} call ${cut}`).toMatchObject({ converted: 3, verbatim: 1, unsettled: 0, failed: [] });
        expect(await keys(), `${when} call ${cut}`).toEqual(['a.png', 'b/c.png', 'd e+%2F.png', 'notes.txt']);
        for (const key of pictures.keys()) expect(writes.get(key), `${when} call ${cut}: ${key}`).toBe(1);
      }
    }
  }, 120_000);

  it('leaves alone what somebody writes between the read and the write', async () => {
    const fresh = Buffer.from('written meanwhile');
    const through = intercept(store, 'putObject', async (bucket, key) => {
      if (bucket === BUCKET && key === 'a.png' && !(await read('a.png')).subarray(0, 7).equals(fresh.subarray(0, 7)))
        await put(store, 'a.png', fresh);
    });
    const { report } = await run({ through });
    expect(report).toMatchObject({ converted: 2, verbatim: 2, failed: [] });
    expect((await read('a.png')).equals(fresh)).toBe(true);
    expect((await keys()).filter((key) => key.startsWith(STAGING_PREFIX))).toEqual([]);
  });

  it('lets an object be deleted meanwhile', async () => {
    const through = intercept(store, 'putObject', async (_bucket, key) => {
      if (key === 'a.png') await store.deleteObject(BUCKET, 'a.png', {}, never);
    });
    const { progress } = await run({ through });
    expect(progress.outcomes).toMatchObject({ converted: 2, changed: 1 });
    expect(await keys()).toEqual(['b/c.png', 'd e+%2F.png', 'notes.txt']);
  });

  it('puts the original back where the store does not give back what was written', async () => {
    const damaging = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'getObject') return (value as (...args: unknown[]) => unknown).bind(target);
        return async (...args: Parameters<ObjectStore['getObject']>) => {
          const content = await target.getObject(...args);
          if (args[1] !== 'a.png' || !factsFromMetadata(content.info)) return content;
          const bytes = Buffer.from(await readAll(content, MIB));
          bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
          return { ...content, body: bytes };
        };
      },
    });
    const { progress } = await run({ through: damaging });
    expect(progress.outcomes).toMatchObject({ converted: 2, failed: 1 });
    expect((await read('a.png')).equals(Buffer.from(pictures.get('a.png') ?? []))).toBe(true);
    expect((await keys()).filter((key) => key.startsWith(STAGING_PREFIX))).toEqual([]);
  });

  it('keeps the originals under the given prefix, and does not migrate those', async () => {
    await run({ keepUnder: 'originals/' });
    const { report } = await run({ keepUnder: 'originals/' });
    expect(report).toMatchObject({ converted: 3, objects: 4 });
    for (const [key, png] of pictures) expect((await read(`originals/${key}`)).equals(Buffer.from(png))).toBe(true);
  });

  it('looks again at what it left verbatim when somebody wrote it anew', async () => {
    const picky = () => new PoolingConverter(70);
    expect((await run({ converter: picky() })).report).toMatchObject({ converted: 2, verbatim: 2 });
    await put(store, 'a.png', await noise(128, 64));
    expect((await run({ converter: picky() })).report).toMatchObject({ converted: 3, verbatim: 1 });
  });

  it('uses a latent that lies beside a picture', async () => {
    await put(store, 'a.npy', Buffer.from('a latent'));
    const { report } = await run();
    expect(report).toMatchObject({ converted: 3, sidecars: 1 });
  });

  it('keeps tags and client metadata', async () => {
    await store.putObject(
      BUCKET,
      'a.png',
      Readable.from([pictures.get('a.png') ?? new Uint8Array()]),
      { systemMetadata: { cacheControl: 'max-age=60' }, userMetadata: { who: 'me' }, tags: { kind: 'cat' } },
      never,
    );
    await run();
    const { info } = await store.headObject(BUCKET, 'a.png', {}, never);
    expect(info.userMetadata['who']).toBe('me');
    expect(info.systemMetadata.cacheControl).toBe('max-age=60');
    expect(await store.getObjectTags(BUCKET, 'a.png', never)).toEqual({ kind: 'cat' });
  });
});

describe('a migration to another place', () => {
  const there = { bucket: 'archive', prefix: 'x/' };
  beforeEach(() => store.createBucket('archive', never));

  it('leaves the source as it was and copies what it does not convert', async () => {
    const { report } = await run({ to: there });
    expect(report).toMatchObject({ converted: 3, verbatim: 1, failed: [] });
    for (const [key, png] of pictures) {
      expect((await read(key)).equals(Buffer.from(png))).toBe(true);
      const { info } = await store.headObject('archive', `x/${key}`, {}, never);
      expect(factsFromMetadata(info)?.model).toBe('pooling');
    }
    const copied = await store.getObject('archive', 'x/notes.txt', {}, never);
    expect(Buffer.from(await readAll(copied, MIB)).toString()).toBe('not a picture');
  });

  it('does not overwrite what lies there', async () => {
    await store.putObject(
      'archive',
      'x/a.png',
      Readable.from([Buffer.from('mine')]),
      { systemMetadata: {}, userMetadata: {} },
      never,
    );
    await store.putObject(
      'archive',
      'x/notes.txt',
      Readable.from([Buffer.from('mine')]),
      { systemMetadata: {}, userMetadata: {} },
      never,
    );
    const { progress } = await run({ to: there });
    expect(progress.outcomes).toMatchObject({ converted: 2, failed: 2 });
    const content = await store.getObject('archive', 'x/a.png', {}, never);
    expect(Buffer.from(await readAll(content, MIB)).toString()).toBe('mine');
  });
});

function unlimited(): RateLimiter {
  return new RateLimiter({ perSecond: Infinity, clock: () => 0, sleep: () => Promise.resolve() });
}

async function noise(width: number, height: number): Promise<Uint8Array> {
  const pixels = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * i * 31 + width) % 251));
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

async function put(into: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  await into.putObject(BUCKET, key, Readable.from([bytes]), { systemMetadata: {}, userMetadata: {} }, never);
}

async function read(key: string): Promise<Buffer> {
  return Buffer.from(await readAll(await store.getObject(BUCKET, key, {}, never), MIB));
}

async function isLatent(key: string): Promise<boolean> {
  return factsFromMetadata((await store.headObject(BUCKET, key, {}, never)).info) !== undefined;
}

async function keys(): Promise<string[]> {
  return (await store.listObjects(BUCKET, { maxKeys: 1000 }, never)).objects.map(({ key }) => key);
}

/** The bucket as it was, and no journal. */
async function startOver(): Promise<void> {
  for (const key of await keys()) await store.deleteObject(BUCKET, key, {}, never);
  for (const [key, png] of pictures) await put(store, key, png);
  await put(store, 'notes.txt', Buffer.from('not a picture'));
  const journal = await LmdbJournal.open(`${directory.path}/state`, jobName('test', here, here));
  for await (const entry of journal.all()) await journal.delete(entry.key);
  await journal.close();
}

type Method = (...args: unknown[]) => Promise<unknown>;

/** Counts calls to a store, and cuts the program off before or after one of them. */
class CallCounter {
  count = 0;
  readonly store: ObjectStore;

  constructor(target: ObjectStore, cut?: { at: number; when: 'before' | 'after' }, writes?: Map<string, number>) {
    this.store = new Proxy(target, {
      get: (_target, name) => {
        const method = Reflect.get(target, name, target) as Method;
        return async (...args: unknown[]) => {
          const count = ++this.count;
          if (cut && (count > cut.at || (cut.when === 'before' && count === cut.at))) throw new Error('cut off');
          const result = await method.apply(target, args);
          if (name === 'putObject') writes?.set(String(args[1]), (writes.get(String(args[1])) ?? 0) + 1);
          if (cut?.at === count) throw new Error('cut off');
          return result;
        };
      },
    });
  }
}

function intercept(
  target: ObjectStore,
  name: 'putObject',
  first: (bucket: string, key: string) => Promise<void>,
): ObjectStore {
  return new Proxy(target, {
    get(_target, property) {
      const method = Reflect.get(target, property, target) as Method;
      return async (...args: unknown[]) => {
        if (property === name) await first(String(args[0]), String(args[1]));
        return method.apply(target, args);
      };
    },
  });
}

it('tells an S3 error of the whole run from that of one object', async () => {
  const missing = { ...here, bucket: 'nowhere' };
  const journal = await LmdbJournal.open(`${directory.path}/state`, jobName('test', missing, missing));
  const originals = new Originals({ store, bucket: 'nowhere', versioned: false });
  const common = { store, journal, from: missing, to: missing, settings: '', clock: () => 0 };
  const replacer = new ObjectReplacer({ ...common, originals });
  const migrator = new ObjectMigrator({
    ...common,
    examiner: new ObjectExaminer({
      ...common,
      converter: new PoolingConverter(),
      sidecars: new SidecarFinder(store, 'nowhere', MIB),
      maxPictureBytes: MIB,
    }),
    replacer,
    onConverted: () => Promise.resolve(),
  });
  const run = runMigration(
    {
      ...common,
      replacer,
      migrator,
      ignore: [],
      concurrency: 2,
      objectRate: unlimited(),
      byteRate: unlimited(),
      maxTries: 1,
      sleep: () => Promise.resolve(),
      onProgress: () => undefined,
    },
    never,
    never,
  );
  await expect(run).rejects.toThrow(S3Error);
  await journal.close();
});
