/** One worker process of the bench: a migration over NATS whose conversions wait as for a distant device. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectExaminer } from '../../src/migrate/examine-object.js';
import { ObjectMigrator } from '../../src/migrate/migrate-object.js';
import { Originals } from '../../src/migrate/originals.js';
import { RateLimiter } from '../../src/migrate/rate-limiter.js';
import { ObjectReplacer } from '../../src/migrate/replace-object.js';
import { SidecarFinder } from '../../src/migrate/sidecars.js';
import { PoolingConverter } from '../../src/migrate/testing/pooling-converter.js';
import { runWorker } from '../../src/migrate/workers/run-worker.js';
import { SharedJob } from '../../src/migrate/workers/shared-job.js';
import { S3Store } from '../../src/stores/s3/s3-store.js';

/** A decode on a device that others share. */
const CONVERSION_MS = 250;
const MAX_BYTES = 1 << 20;
const CONCURRENCY = 2;

const [nats = '', job = '', bucket = '', backing = ''] = process.argv.slice(2);
const store = new S3Store(JSON.parse(backing) as ConstructorParameters<typeof S3Store>[0]);
const shared = await SharedJob.open(nats, job);
const converter = new PoolingConverter();
const convert = converter.convert.bind(converter);
converter.convert = async (picture) => {
  await sleep(CONVERSION_MS);
  return convert(picture);
};
const clock = () => performance.now();
const from = { bucket, prefix: '' };
const common = { store, journal: shared.journal, from, to: from, settings: 'bench', clock };
const originals = new Originals({ store, bucket, versioned: false });
const replacer = new ObjectReplacer({ ...common, originals });
const sidecars = new SidecarFinder(store, bucket, MAX_BYTES);
const examiner = new ObjectExaminer({ ...common, converter, sidecars, maxPictureBytes: MAX_BYTES });
const unlimited = new RateLimiter({ perSecond: Infinity, clock, sleep: (ms) => sleep(ms) });
const never = new AbortController().signal;
const { outcomes } = await runWorker(
  {
    ...common,
    job: shared,
    worker: String(process.pid),
    replacer,
    migrator: new ObjectMigrator({ ...common, examiner, replacer, onConverted: () => Promise.resolve() }),
    ignore: originals.ownPrefixes,
    concurrency: CONCURRENCY,
    objectRate: unlimited,
    byteRate: unlimited,
    maxTries: 3,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    onProgress: () => undefined,
  },
  never,
  never,
);
process.stdout.write(String(outcomes.converted));
await shared.close();
await store.close();
