/** Workers of one migration over a real NATS server: joining, leaving, dying, and never doing a thing twice. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../s3-api/index.js';
import { factsFromMetadata } from '../../latents/facts.js';
import { FilesystemStore } from '../../stores/filesystem/filesystem-store.js';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../../stores/testing/temporary-directory.js';
import { ObjectExaminer } from '../examine-object.js';
import { ObjectMigrator } from '../migrate-object.js';
import { Originals, STAGING_PREFIX } from '../originals.js';
import { RateLimiter } from '../rate-limiter.js';
import { ObjectReplacer } from '../replace-object.js';
import { reportOf } from '../report.js';
import { SidecarFinder } from '../sidecars.js';
import {
  findNatsServer,
  NATS_SERVER_MISSING,
  startNatsServer,
  type RunningNatsServer,
} from '../testing/nats-server.js';
import { PoolingConverter } from '../testing/pooling-converter.js';
import { runWorker } from './run-worker.js';
import { SharedJob } from './shared-job.js';

const BUCKET = 'images';
const PICTURES = 60;
const never = new AbortController().signal;
const location = { bucket: BUCKET, prefix: '' };
const TIMING = { ackWaitMs: 1000, leaseMs: 1000 };

const program = await findNatsServer();
if (program === undefined) console.info(`skipped: ${NATS_SERVER_MISSING}`);

describe.skipIf(program === undefined)('workers of a shared migration', () => {
  let nats: RunningNatsServer;
  let directory: TemporaryDirectory;
  let files: FilesystemStore;
  let job = 0;
  beforeAll(async () => {
    nats = await startNatsServer(program ?? '');
  });
  afterAll(() => nats.close());
  beforeEach(async () => {
    job += 1;
    directory = await makeTemporaryDirectory();
    files = new FilesystemStore(`${directory.path}/data`);
    await files.start();
    await files.createBucket(BUCKET);
    for (let i = 0; i < PICTURES; i++) {
      const picture = { create: { width: 32, height: 32, channels: 3 as const, background: { r: i, g: 2 * i, b: 9 } } };
      await put(`p${String(i).padStart(3, '0')}.png`, await sharp(picture).png().toBuffer());
    }
    await put('notes.txt', Buffer.from('not a picture'));
  });
  afterEach(async () => {
    await files.close();
    await directory.remove();
  });

  function put(key: string, bytes: Uint8Array) {
    return files.putObject(BUCKET, key, Readable.from([bytes]), { systemMetadata: {}, userMetadata: {} }, never);
  }

  async function worker(
    name: string,
    {
      store = files,
      converter = new PoolingConverter(),
      stop = never,
      signal = never,
    }: { store?: ObjectStore; converter?: PoolingConverter; stop?: AbortSignal; signal?: AbortSignal } = {},
  ) {
    const shared = await SharedJob.open(nats.url, `job${job}`, TIMING);
    const { journal } = shared;
    try {
      const originals = new Originals({ store, bucket: BUCKET, versioned: false });
      const clock = () => performance.now();
      const common = { store, journal, from: location, to: location, settings: 'test', clock };
      const replacer = new ObjectReplacer({ ...common, originals });
      const sidecars = new SidecarFinder(store, BUCKET, 1 << 20);
      const examiner = new ObjectExaminer({ ...common, converter, sidecars, maxPictureBytes: 1 << 20 });
      const unlimited = new RateLimiter({ perSecond: Infinity, clock, sleep: (ms) => sleep(ms) });
      const progress = await runWorker(
        {
          ...common,
          job: shared,
          worker: name,
          replacer,
          migrator: new ObjectMigrator({ ...common, examiner, replacer, onConverted: () => Promise.resolve() }),
          ignore: originals.ownPrefixes,
          concurrency: 2,
          objectRate: unlimited,
          byteRate: unlimited,
          maxTries: 3,
          sleep: (ms, aborted) => sleep(ms, undefined, { signal: aborted }),
          onProgress: () => undefined,
        },
        stop,
        signal,
      );
      return { progress, report: await reportOf(BUCKET, BUCKET, journal.all()) };
    } finally {
      await shared.close();
    }
  }

  async function keys(): Promise<string[]> {
    return (await files.listObjects(BUCKET, { maxKeys: 1000 })).objects.map(({ key }) => key);
  }

  it('share the objects between them, each converted once', async () => {
    const writes = countWrites(files);
    const runs = await Promise.all(['a', 'b', 'c'].map((name) => worker(name, { store: writes.store })));
    expect(runs[0]?.report).toMatchObject({ converted: PICTURES, verbatim: 1, failed: [], unsettled: 0 });
    expect([...writes.counts.values()].every((count) => count === 1)).toBe(true);
    expect(writes.counts.size).toBe(PICTURES);
  });

  it('finish what a worker that died had in work, and clear away what it left aside', async () => {
    const writes = countWrites(files);
    const dying = dieAtCall(writes.store, 23);
    await expect(worker('dying', { store: dying })).rejects.toThrow('died');
    const { report } = await worker('heir', { store: writes.store });
    expect(report).toMatchObject({ converted: PICTURES, verbatim: 1, failed: [], unsettled: 0 });
    expect([...writes.counts.values()].every((count) => count === 1)).toBe(true);
    expect((await keys()).filter((key) => key.startsWith(STAGING_PREFIX))).toEqual([]);
  }, 60_000);

  it('may leave at any time', async () => {
    const leaving = new AbortController();
    const first = new PoolingConverter();
    const convert = first.convert.bind(first);
    first.convert = (picture) => {
      if (first.conversions === 5) leaving.abort();
      return convert(picture);
    };
    const left = await worker('leaving', { converter: first, stop: leaving.signal });
    expect(left.progress.outcomes.converted).toBeLessThan(PICTURES);
    const { report } = await worker('staying');
    expect(report).toMatchObject({ converted: PICTURES, failed: [] });
  }, 60_000);

  it('put an object that ends every worker on the list of the dead, and convert the others', async () => {
    const poisoned = () => {
      const converter = new PoolingConverter();
      const convert = converter.convert.bind(converter);
      converter.convert = (picture) =>
        picture.key === 'p007.png' ? Promise.reject(new Error('died')) : convert(picture);
      return converter;
    };
    let report;
    for (let deaths = 0; report === undefined && deaths < 12; deaths++)
      report = (await worker(`w${deaths}`, { converter: poisoned() }).catch(() => undefined))?.report;
    expect(report).toMatchObject({ converted: PICTURES - 1, verbatim: 1 });
    expect(report?.failed).toEqual([{ key: 'p007.png', message: expect.stringContaining('dead letter') as string }]);
  }, 60_000);

  it('pass over a finished job, and see what came after it', async () => {
    await worker('first');
    const again = new PoolingConverter();
    await put(
      'new.png',
      await sharp({ create: { width: 40, height: 40, channels: 3, background: 'red' } })
        .png()
        .toBuffer(),
    );
    const { report } = await worker('second', { converter: again });
    expect(again.conversions).toBe(1);
    expect(report).toMatchObject({ converted: PICTURES + 1 });
    const { info } = await files.headObject(BUCKET, 'new.png', {});
    expect(factsFromMetadata(info)).toBeDefined();
  });
});

type Method = (...args: unknown[]) => Promise<unknown>;

function countWrites(target: ObjectStore): { store: ObjectStore; counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const store = new Proxy(target, {
    get: (_target, name) => {
      const method = Reflect.get(target, name, target) as Method;
      return async (...args: unknown[]) => {
        const result = await method.apply(target, args);
        if (name === 'putObject') counts.set(String(args[1]), (counts.get(String(args[1])) ?? 0) + 1);
        return result;
      };
    },
  });
  return { store, counts };
}

/** From the n-th call on, nothing that this worker does reaches the store. */
function dieAtCall(target: ObjectStore, calls: number): ObjectStore {
  let count = 0;
  return new Proxy(target, {
    get: (_target, name) => {
      const method = Reflect.get(target, name, target) as Method;
      return (...args: unknown[]) => {
        count += 1;
        return count >= calls ? Promise.reject(new Error('died')) : method.apply(target, args);
      };
    },
  });
}
