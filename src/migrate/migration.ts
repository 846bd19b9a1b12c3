/** A migration of one location: run it, try it on a sample, or undo it. */
import type { ListedObject } from '../../s3-api/index.js';
import { S3Error } from '../../s3-api/index.js';
import type { Policy } from '../latents/policies.js';
import { dryRun, type DryRunOptions } from './dry-run.js';
import { ObjectExaminer } from './examine-object.js';
import type { Forecast } from './forecast.js';
import { jobName, type Journal } from './journal.js';
import { listLocation } from './listing.js';
import { LmdbJournal } from './lmdb-journal.js';
import type { Location } from './location.js';
import { ObjectMigrator } from './migrate-object.js';
import type { ConvertedObject } from './object-converter.js';
import { keepsVersions, Originals } from './originals.js';
import type { ObjectOutcome } from './outcome.js';
import { ProgressCounter, type Progress } from './progress.js';
import { RateLimiter } from './rate-limiter.js';
import { ObjectReplacer } from './replace-object.js';
import { reportOf, type MigrationReport } from './report.js';
import { ObjectRestorer } from './restore-object.js';
import { runMigration, type RunOptions } from './run.js';
import { runPool } from './run-pool.js';
import { SidecarFinder } from './sidecars.js';
import { runWorker } from './workers/run-worker.js';
import type { SharedJob } from './workers/shared-job.js';
import type { Workshop } from './workshop.js';

export interface MigrationSettings {
  readonly from: Location;
  readonly to: Location;
  /** Names the backing store, so that journals of different stores are kept apart. */
  readonly storeName: string;
  readonly policyFor: (key: string) => Policy;
  /** Changes whenever what stays verbatim may change. */
  readonly settings: string;
  readonly keepOriginals?: string;
  readonly concurrency: number;
  /** Objects and bytes per second; Infinity: no limit. */
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly maxPictureBytes: number;
  readonly maxContainerBytes: number;
  readonly onProgress: (progress: Progress) => void;
  readonly onConverted: (key: string, original: Uint8Array, converted: ConvertedObject) => Promise<void>;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

const MAX_TRIES = 5;

export class Migration {
  constructor(
    private readonly workshop: Workshop,
    private readonly settings: MigrationSettings,
  ) {}

  get job(): string {
    const { storeName, from, to } = this.settings;
    return jobName(storeName, from, to);
  }

  openJournal(): Promise<LmdbJournal> {
    return LmdbJournal.open(this.workshop.state, this.job);
  }

  /** @param stop ends the run after the objects in work */
  async run(journal: Journal, stop: AbortSignal, signal: AbortSignal): Promise<void> {
    await runMigration(await this.#runOptions(journal, signal), stop, signal);
  }

  /** Takes part in a migration that many processes do. */
  async work(job: SharedJob, worker: string, stop: AbortSignal, signal: AbortSignal): Promise<void> {
    await runWorker({ ...(await this.#runOptions(job.journal, signal)), job, worker }, stop, signal);
  }

  async dryRun(
    options: Pick<DryRunOptions, 'sampleSize' | 'prices' | 'random'> & {
      readonly onSampled: DryRunOptions['onProgress'];
    },
    signal: AbortSignal,
  ): Promise<Forecast> {
    const { store } = this.workshop;
    const { from, concurrency, clock, onConverted } = this.settings;
    const { onSampled: onProgress, ...rest } = options;
    const ignore = this.#originals(false).ownPrefixes;
    const examiner = this.#examiner();
    const run = { ...rest, store, examiner, from, ignore, concurrency, clock, onConverted, onProgress };
    return (await dryRun(run, signal)).forecast;
  }

  report(journal: Journal): Promise<MigrationReport> {
    const { from, to } = this.settings;
    const name = ({ bucket, prefix }: Location) => (prefix === '' ? bucket : `${bucket}/${prefix}`);
    return reportOf(name(from), name(to), journal.all());
  }

  async restore(stop: AbortSignal, signal: AbortSignal): Promise<{ progress: Progress; failed: FailedObject[] }> {
    const { store, renderer } = this.workshop;
    const { from, to, keepOriginals, maxContainerBytes, onProgress } = this.settings;
    const originalsUnder = keepOriginals === undefined ? {} : { originalsUnder: keepOriginals };
    const restorer = new ObjectRestorer({ store, renderer, from, to, maxContainerBytes, ...originalsUnder });
    const counter = new ProgressCounter();
    const failed: FailedObject[] = [];
    await this.#forEach(stop, signal, async (listed) => {
      const outcome = await restorer.restore(listed, signal).catch((error: unknown): ObjectOutcome => {
        if (!(error instanceof S3Error)) throw error;
        return { kind: 'failed', message: `${error.code}: ${error.message}` };
      });
      if (outcome.kind === 'failed') failed.push({ key: listed.key, message: outcome.message });
      counter.add(listed.size, outcome);
      onProgress(counter.get());
    });
    return { progress: counter.get(), failed };
  }

  async #forEach(stop: AbortSignal, signal: AbortSignal, work: (listed: ListedObject) => Promise<void>): Promise<void> {
    const { from, concurrency } = this.settings;
    const ignore = this.#originals(false).ownPrefixes;
    const listing = listLocation(this.workshop.store, from, ignore, AbortSignal.any([stop, signal]));
    await runPool(listing, concurrency, async (listed) => {
      if (!stop.aborted) await work(listed);
    });
  }

  async #runOptions(journal: Journal, signal: AbortSignal): Promise<RunOptions> {
    const { store } = this.workshop;
    const { from, to, settings, concurrency, clock, sleep, onConverted, onProgress } = this.settings;
    const originals = this.#originals(await keepsVersions(store, to.bucket, signal));
    const replacer = new ObjectReplacer({ store, journal, from, to, originals, settings, clock });
    const examiner = this.#examiner();
    const migrator = new ObjectMigrator({ store, journal, examiner, replacer, from, to, settings, onConverted });
    const rate = (perSecond: number) => new RateLimiter({ perSecond, clock, sleep });
    return {
      store,
      journal,
      replacer,
      migrator,
      from,
      ignore: originals.ownPrefixes,
      concurrency,
      objectRate: rate(this.settings.objectsPerSecond),
      byteRate: rate(this.settings.bytesPerSecond),
      maxTries: MAX_TRIES,
      sleep,
      onProgress,
    };
  }

  #examiner(): ObjectExaminer {
    const { store } = this.workshop;
    const { from, policyFor, maxPictureBytes, maxContainerBytes, clock } = this.settings;
    const converter = this.workshop.converter(policyFor);
    const sidecars = new SidecarFinder(store, from.bucket, maxContainerBytes);
    return new ObjectExaminer({ store, converter, sidecars, from, maxPictureBytes, clock });
  }

  #originals(versioned: boolean): Originals {
    const { to, keepOriginals } = this.settings;
    const keepUnder = keepOriginals === undefined ? {} : { keepUnder: keepOriginals };
    return new Originals({ store: this.workshop.store, bucket: to.bucket, versioned, ...keepUnder });
  }
}

interface FailedObject {
  readonly key: string;
  readonly message: string;
}
