/** `latentbox migrate`: turns a bucket of PNGs into latents, tries that on a sample, checks it, or turns it back. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { ConfigError, loadConfig, type CommandLineOverride } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { Policies, type Policy } from '../latents/policies.js';
import { forecastLines, reportLines, restoreLines, verificationLines } from '../migrate/describe.js';
import { htmlReport } from '../migrate/html-report.js';
import type { Location } from '../migrate/location.js';
import type { Journal } from '../migrate/journal.js';
import { Migration, type MigrationSettings } from '../migrate/migration.js';
import type { ConvertedObject } from '../migrate/object-converter.js';
import { seededRandom } from '../migrate/statistics.js';
import { WorstCases } from '../migrate/worst-cases.js';
import { verifyLocation } from '../migrate/verify-location.js';
import type { SharedJob } from '../migrate/workers/shared-job.js';
import { maxContainerBytes, openWorkshop, type Workshop } from '../migrate/workshop.js';
import { formatBytes } from '../report/quantities.js';
import { collect, location, number, whole } from './arguments.js';
import { EXIT } from './exit-codes.js';

import { ProgressBar } from './progress-bar.js';

interface MigrateOptions {
  readonly to?: Location;
  readonly config?: string;
  readonly data?: string;
  readonly models?: readonly string[];
  readonly dryRun?: true;
  readonly restore?: true;
  readonly verify?: true;
  readonly workers?: string;
  readonly sample: number;
  readonly seed: number;
  readonly keepOriginals?: string;
  readonly model?: readonly string[];
  readonly psnr?: number;
  readonly ssim?: number;
  readonly steps?: number;
  readonly seconds?: number;
  readonly minSaving?: number;
  readonly strictSizes?: true;
  readonly convertC2pa?: true;
  readonly concurrency: number;
  readonly rate?: number;
  readonly bandwidth?: number;
  readonly storagePrice: number;
  readonly devicePrice: number;
  readonly json?: true;
  readonly html?: string;
}

const WORST_CASES = 8;
const DEFAULT_SAMPLE = 100;
/** Dollars: S3 Standard in us-east-1 a gigabyte and month, a rented RTX 5090 an hour (list prices of 2026). */
const STORAGE_PRICE = 0.023;
const DEVICE_PRICE = 0.69;
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Turn the PNGs of a bucket into latents, straight in the backing store, under a floor on fidelity.')
    .argument('<bucket[/prefix]>', 'what to migrate', location)
    .option('--to <bucket[/prefix]>', 'write there and leave the source as it is (default: in place)', location)
    .option('--config <file>', 'configuration that names the store, the models and the policies')
    .option('--data <dir>', 'folder of the embedded filesystem store; stop the gateway that serves it first')
    .option('--models <dir>', 'folder of installed models, beside the bundled one (repeatable)', collect)
    .option('--dry-run', 'convert a sample, write nothing, and forecast savings, time and cost')
    .option('--restore', 'turn latents back into PNGs: the originals where they were kept, else the decoded pictures')
    .option('--verify', 'read everything back and prove that it decodes to what was recorded')
    .option('--workers <nats-url>', 'share the work with every process that is started with the same command')
    .option('--sample <n>', 'objects of a dry run', whole(1, 1e6), DEFAULT_SAMPLE)
    .option('--seed <n>', 'draws the sample of a dry run', whole(0, 2 ** 31), 1)
    .option('--keep-originals <prefix>', 'keep every original under this prefix of the bucket for good')
    .option('--model <name>', 'model to try, in order (repeatable; default: as the policy says)', collect)
    .option('--psnr <dB>', 'least PSNR (default: the policy’s, 38)', number(20, 100))
    .option('--ssim <value>', 'least SSIM (default: the policy’s, 0.98)', number(0, 1))
    .option('--steps <n>', 'most steps along the gradient (default: the policy’s, 40)', whole(0, 10_000))
    .option('--seconds <s>', 'most seconds of search for a picture (default: the policy’s, 20)', number(0, 3600))
    .option('--min-saving <share>', 'least share of bytes that a latent must save (default: 0.25)', number(0, 1))
    .option('--strict-sizes', 'convert only where the PNG served keeps the uploaded length')
    .option('--convert-c2pa', 'convert pictures with content credentials too')
    .option('--concurrency <n>', 'pictures in work at once', whole(1, 1024), Math.max(2, availableParallelism()))
    .option('--rate <n>', 'objects a second, at most', number(0.001, 1e9))
    .option('--bandwidth <bytes>', 'bytes a second read, at most', number(1, 1e15))
    .option('--storage-price <dollars>', 'a gigabyte and month', number(0, 1e6), STORAGE_PRICE)
    .option('--device-price <dollars>', 'an hour of this machine', number(0, 1e6), DEVICE_PRICE)
    .option('--json', 'one JSON document on stdout')
    .option('--html <file>', 'also write the report as a page, with the worst cases side by side')
    .addHelpText(
      'after',
      `
Killed at any moment, the same command goes on where it was. Ctrl-C ends it after the pictures in work.

Examples:
  latentbox migrate images --dry-run
  latentbox migrate images/renders/ --config gateway.yaml --keep-originals originals/ --html report.html
  latentbox migrate images --to archive --model sd3 --psnr 42
  latentbox migrate images --config gateway.yaml --workers nats://nats:4222
  latentbox migrate images --verify --json
  latentbox migrate images --restore --keep-originals originals/`,
    )
    .action(migrate);
}

async function migrate(from: Location, options: MigrateOptions): Promise<void> {
  const { to = from } = options;
  const config = await loadConfig({
    ...(options.config !== undefined && { file: options.config }),
    environment: process.env,
    commandLine: overrides(options),
  });
  const workshop = await openWorkshop(config, options.concurrency);
  const bar = new ProgressBar(process.stderr);
  const { stop, signal } = interruption();
  try {
    const shared: Pick<MigrationSettings, 'onProgress'> = {
      onProgress: ({ settled, total, savedBytes, outcomes }) => {
        const note = `${outcomes.converted} converted, ${outcomes.failed} failed, ${formatBytes(savedBytes)} saved`;
        bar.update({ done: settled, note, ...(total && { total: total.objects }) });
      },
    };
    const policyFor = policies(config, from.bucket, options);
    const base = { ...settingsOf(config, options), ...shared, from, to, policyFor };
    const mode = options.restore ? restore : options.verify ? verify : options.dryRun ? forecast : convert;
    const { document, text, failures } = await mode({ workshop, base, options, bar, stop, signal });
    bar.end();
    process.stdout.write(options.json ? `${JSON.stringify(document, null, 2)}\n` : text);
    if (failures > 0) process.exitCode = EXIT.partial;
    else if (stop.aborted) process.exitCode = EXIT.failed;
  } finally {
    bar.end();
    await workshop.close();
  }
}

interface ModeInput {
  readonly workshop: Workshop;
  readonly base: Omit<MigrationSettings, 'onConverted'>;
  readonly options: MigrateOptions;
  readonly bar: ProgressBar;
  readonly stop: AbortSignal;
  readonly signal: AbortSignal;
}

interface ModeResult {
  readonly document: object;
  readonly text: string;
  readonly failures: number;
}

async function convert({ workshop, base, options, stop, signal }: ModeInput): Promise<ModeResult> {
  const own = await new Migration(workshop, { ...base, onConverted: nothing }).openJournal();
  const worst = WorstCases.open(own.directory, WORST_CASES);
  const onConverted = (key: string, original: Uint8Array, { psnr, ssim, png }: ConvertedObject) =>
    worst.add({ key, psnr, ssim, original, served: png });
  const migration = new Migration(workshop, { ...base, onConverted });
  const job = options.workers === undefined ? undefined : await joinJob(options.workers, migration.job);
  try {
    const journal: Journal = job?.journal ?? own;
    if (job) await migration.work(job, randomUUID(), stop, signal);
    else await migration.run(journal, stop, signal);
    const report = await migration.report(journal);
    if (options.html !== undefined) {
      const psnrFloor = base.policyFor(base.from.prefix).psnr;
      const page = { report, worst: worst.cases, psnr: await psnrOf(journal), psnrFloor };
      await writeFile(options.html, htmlReport(page));
    }
    return { document: report, text: reportLines(report), failures: report.failed.length };
  } finally {
    await job?.close();
    await worst.close();
    await own.close();
  }
}

/** The NATS client is loaded for this alone. */
async function joinJob(servers: string, name: string): Promise<SharedJob> {
  const { SharedJob: Job } = await import('../migrate/workers/shared-job.js');
  return Job.open(servers, name);
}

async function forecast({ workshop, base, options, bar, signal }: ModeInput): Promise<ModeResult> {
  const migration = new Migration(workshop, { ...base, onConverted: nothing });
  const result = await migration.dryRun(
    {
      sampleSize: options.sample,
      random: seededRandom(options.seed),
      prices: { storagePerGbMonth: options.storagePrice, devicePerHour: options.devicePrice },
      onSampled: (done, total) => bar.update({ done, total, note: 'sampled' }),
    },
    signal,
  );
  return { document: result, text: forecastLines(result), failures: 0 };
}

async function restore({ workshop, base, stop, signal }: ModeInput): Promise<ModeResult> {
  const migration = new Migration(workshop, { ...base, onConverted: nothing });
  const { progress, failed } = await migration.restore(stop, signal);
  const document = { restored: progress.outcomes.restored, untouched: progress.outcomes.verbatim, failed };
  return { document, text: restoreLines(document), failures: failed.length };
}

async function verify({ workshop, base, bar, signal }: ModeInput): Promise<ModeResult> {
  const { to, concurrency, maxContainerBytes } = base;
  const onVerified = (done: number) => bar.update({ done, note: 'verified' });
  const report = await verifyLocation(workshop, to, { concurrency, maxContainerBytes, onVerified }, signal);
  return { document: report, text: verificationLines(report), failures: report.failed.length };
}

async function psnrOf(journal: Journal): Promise<number[]> {
  const values: number[] = [];
  for await (const entry of journal.all()) {
    if (entry.state === 'done' && entry.outcome.kind === 'converted' && entry.outcome.psnr !== null)
      values.push(entry.outcome.psnr);
  }
  return values;
}

function settingsOf(config: Config, options: MigrateOptions) {
  const { concurrency, keepOriginals, rate = Infinity, bandwidth = Infinity } = options;
  const { model, psnr, ssim, steps, seconds, minSaving, strictSizes, convertC2pa } = options;
  const { store, limits, policies: configured } = config;
  return {
    storeName: store.type === 'filesystem' ? store.path : `${store.endpoint ?? 'aws'} ${store.bucketPrefix}`,
    settings: JSON.stringify([model, psnr, ssim, steps, seconds, minSaving, strictSizes, convertC2pa, configured]),
    ...(keepOriginals !== undefined && { keepOriginals }),
    concurrency,
    objectsPerSecond: rate,
    bytesPerSecond: bandwidth,
    maxPictureBytes: limits.pngBytes,
    maxContainerBytes: maxContainerBytes(config),
    sleep: (milliseconds: number, signal: AbortSignal) => sleep(milliseconds, undefined, { signal }),
    clock: () => performance.now(),
  };
}

/** The policy of a key, with what the command line says on top. */
function policies(config: Config, bucket: string, options: MigrateOptions): (key: string) => Policy {
  const configured = new Policies(config.policies);
  const { model, psnr, ssim, steps, seconds, minSaving, strictSizes, convertC2pa } = options;
  const given: Partial<Policy> = {
    ...(model && { candidates: [...model] }),
    ...(psnr !== undefined && { psnr }),
    ...(ssim !== undefined && { ssim }),
    ...(steps !== undefined && { refineSteps: steps }),
    ...(seconds !== undefined && { refineSeconds: seconds }),
    ...(minSaving !== undefined && { minSaving }),
    ...(strictSizes && { size: 'strict' }),
    ...(convertC2pa && { convertC2pa }),
  };
  return (key) => ({ ...configured.for(bucket, key), ...given });
}

function overrides({ data, models, restore: back, verify: check, dryRun: dry }: MigrateOptions): CommandLineOverride[] {
  if ([back, check, dry].filter(Boolean).length > 1)
    throw new ConfigError([
      { where: 'latentbox migrate', key: '', problem: 'takes one of --dry-run, --restore, --verify' },
    ]);
  return [
    ...(data === undefined ? [] : [{ option: '--data', path: ['store'], value: { type: 'filesystem', path: data } }]),
    ...(models ? [{ option: '--models', path: ['models', 'path'], value: models }] : []),
  ];
}

/** The first signal lets the pictures in work end, the second drops them; the next run settles what it left. */
function interruption(): { stop: AbortSignal; signal: AbortSignal } {
  const stop = new AbortController();
  const drop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) drop.abort(new Error('interrupted; run the same command again to go on'));
    else process.stderr.write('\nending after the pictures in work; once more drops them\n');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { stop: stop.signal, signal: drop.signal };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
