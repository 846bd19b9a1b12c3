/** Every metric of the gateway, in one place: its name, help text, labels and buckets. docs/metrics.md is made from it. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { CacheStatistics } from '../cache/dual-format-cache.js';
import type { RefetchCounts } from '../latents/latent-refetch.js';
import type { Conversion } from '../conversion/index.js';
import type { ConversionObserver } from '../latents/png-encoding.js';
import type { ReadObserver } from '../latents/stored-image.js';

const MS_PER_SECOND = 1000;
/** From a cache hit to a slow decode on a CPU. */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A decoding device as the metrics show it. */
export interface DeviceGauges {
  readonly device: string;
  readonly queued: number;
  /** Share of the time since start that the device computed, 0..1. */
  readonly busyFraction: number;
}

export interface MetricSources {
  readonly cache: () => CacheStatistics;
  readonly refetch: () => RefetchCounts;
  readonly devices: () => readonly DeviceGauges[];
  readonly inFlight: () => number;
  readonly conversions: () => { readonly waiting: number; readonly running: number };
  readonly bytesInFlight: () => number;
}

/** Of what was encoded, from the least floor that may be configured to more than 8 bits show. */
const PSNR_BUCKETS = [20, 25, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 65, 70];

export class Metrics implements ReadObserver, ConversionObserver {
  readonly registry = new Registry();
  readonly #reads = this.#counter('latentbox_reads_total', 'Object reads by outcome', ['outcome']);
  readonly #coalesced = this.#counter(
    'latentbox_reads_coalesced_total',
    'Reads answered by the work of an identical request in flight',
    [],
  );
  readonly #requests = this.#counter('latentbox_s3_requests_total', 'S3 requests by operation and status', [
    'operation',
    'status',
  ]);
  readonly #errors = this.#counter('latentbox_s3_errors_total', 'S3 error answers by code', ['code']);
  readonly #writes = this.#counter('latentbox_writes_total', 'Stored objects by kind', ['storage']);
  readonly #conversions = this.#counter(
    'latentbox_conversions_total',
    'PNGs looked at by the policy encode: result latent, or the reason why the upload was kept',
    ['result', 'model'],
  );
  readonly #conversionBytes = this.#counter(
    'latentbox_conversion_bytes_total',
    'Bytes of the PNGs that were converted (uploaded) and of their containers (stored)',
    ['kind'],
  );
  readonly #conversionSteps = this.#counter(
    'latentbox_conversion_steps_total',
    "Steps taken along decoders' gradients",
    ['model'],
  );
  readonly #conversionStages = new Histogram({
    name: 'latentbox_conversion_seconds',
    help: 'Time of the stages of a conversion: read, refine, verify, compress, png',
    labelNames: ['stage'],
    buckets: SECONDS_BUCKETS,
    registers: [this.registry],
  });
  readonly #conversionPsnr = new Histogram({
    name: 'latentbox_conversion_psnr_decibels',
    help: 'PSNR of the nearest latent of each PNG that could be tried, by what became of it',
    labelNames: ['storage'],
    buckets: PSNR_BUCKETS,
    registers: [this.registry],
  });
  readonly #stages = new Histogram({
    name: 'latentbox_stage_seconds',
    help: 'Time of the stages of a read: lookup, fetch, decompress, queue, decode, png',
    labelNames: ['stage'],
    buckets: SECONDS_BUCKETS,
    registers: [this.registry],
  });
  readonly #durations = new Histogram({
    name: 'latentbox_s3_request_seconds',
    help: 'Time from the first byte of an S3 request to the last of its answer',
    labelNames: ['operation'],
    buckets: SECONDS_BUCKETS,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'latentbox_' });
  }

  read(outcome: string, timings: Readonly<Partial<Record<string, number>>>, coalesced: boolean): void {
    this.#reads.inc({ outcome });
    if (coalesced) {
      this.#coalesced.inc();
      return;
    }
    for (const [stage, ms] of Object.entries(timings)) {
      if (ms !== undefined) this.#stages.observe({ stage }, ms / 1000);
    }
  }

  written(storage: 'latent' | 'verbatim'): void {
    this.#writes.inc({ storage });
  }

  converted(conversion: Conversion, uploadedBytes: number): void {
    const { kind, measured, timings } = conversion;
    this.#conversions.inc({ result: kind === 'latent' ? kind : conversion.reason, model: measured?.model ?? '' });
    for (const [stage, ms] of Object.entries(timings)) this.#conversionStages.observe({ stage }, Number(ms) / 1000);
    if (measured) {
      this.#conversionPsnr.observe({ storage: kind }, measured.psnr);
      this.#conversionSteps.inc({ model: measured.model }, measured.steps);
    }
    if (kind !== 'latent') return;
    this.#conversionBytes.inc({ kind: 'uploaded' }, uploadedBytes);
    this.#conversionBytes.inc({ kind: 'stored' }, conversion.container.byteLength);
  }

  request(operation: string, status: number, seconds: number, errorCode: string | undefined): void {
    this.#requests.inc({ operation, status: String(status) });
    this.#durations.observe({ operation }, seconds);
    if (errorCode !== undefined) this.#errors.inc({ code: errorCode });
  }

  /** Gauges that are read from their owners at each scrape. */
  observe(sources: MetricSources): void {
    this.#cacheGauge('latentbox_cache_capacity_bytes', 'Budget of both tiers', () => sources.cache().capacityBytes);
    this.#cacheGauge('latentbox_cache_alpha', 'Share of the image tier', () => sources.cache().alpha);
    this.#tierGauge(
      'latentbox_cache_bytes',
      'Bytes in a tier, bookkeeping included',
      (s) => [s.imageBytes, s.latentBytes],
      sources,
    );
    this.#tierGauge('latentbox_cache_entries', 'Objects in a tier', (s) => [s.imageEntries, s.latentEntries], sources);
    this.#tierGauge(
      'latentbox_cache_hits',
      'Lookups answered by a tier since start',
      (s) => [s.imageHits, s.latentHits],
      sources,
    );
    this.#tierGauge(
      'latentbox_cache_evictions',
      'Objects evicted from a tier since start',
      (s) => [s.imageEvictions, s.latentEvictions],
      sources,
    );
    this.#tierGauge(
      'latentbox_cache_tail_hits',
      'Hits since start in the part of a tier that a smaller one would have lost; none in an image tier of SIEVE',
      (s) => [s.imageTailHits, s.latentTailHits],
      sources,
    );
    this.#cacheGauge(
      'latentbox_cache_gradient',
      'Which way the border between the tiers should go, -1 to 1; over 0 the image tier grows',
      () => sources.cache().gradient,
    );
    this.#cacheGauge(
      'latentbox_cache_windows',
      'Decisions about the border since start',
      () => sources.cache().windows,
    );
    this.#cacheGauge(
      'latentbox_cache_demotions',
      'Objects that fell back from the image tier with their latent since start',
      () => sources.cache().demotions,
    );
    this.#cacheGauge(
      'latentbox_cache_refetches',
      'Latents of evicted images that came back from the store in the background since start',
      () => sources.refetch().fetched,
    );
    this.#cacheGauge(
      'latentbox_cache_refetches_dropped',
      'Latents of evicted images that were not fetched, since too many were waiting',
      () => sources.refetch().dropped,
    );
    this.#cacheGauge(
      'latentbox_cache_refetches_failed',
      'Latents of evicted images that the store did not give, or that had changed',
      () => sources.refetch().failed,
    );
    this.#cacheGauge(
      'latentbox_cache_decode_seconds',
      'Moving average of a decode as the border sees it, queues included',
      () => sources.cache().decodeMs / MS_PER_SECOND,
    );
    this.#cacheGauge(
      'latentbox_cache_fetch_seconds',
      'Moving average of a fetch as the border sees it',
      () => sources.cache().fetchMs / MS_PER_SECOND,
    );
    this.#cacheGauge(
      'latentbox_cache_misses',
      'Lookups that no tier answered since start',
      () => sources.cache().misses,
    );
    this.#cacheGauge(
      'latentbox_cache_promotions',
      'Moves into the image tier since start',
      () => sources.cache().promotions,
    );
    this.#cacheGauge('latentbox_flights', 'Fetches and decodes under way', sources.inFlight);
    this.#cacheGauge('latentbox_conversions_running', 'PNGs being encoded', () => sources.conversions().running);
    this.#cacheGauge(
      'latentbox_conversions_waiting',
      'PNGs that wait to be encoded',
      () => sources.conversions().waiting,
    );
    this.#cacheGauge('latentbox_bytes_in_flight', 'Bytes of latents, pixels and PNGs under way', sources.bytesInFlight);
    this.#deviceGauge('latentbox_device_queue', 'Decodes that wait for a device', (device) => device.queued, sources);
    this.#deviceGauge(
      'latentbox_device_busy_ratio',
      'Share of the time since start that a device computed',
      (device) => device.busyFraction,
      sources,
    );
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #cacheGauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }

  #tierGauge(
    name: string,
    help: string,
    values: (statistics: CacheStatistics) => readonly [number, number],
    sources: MetricSources,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: ['tier'],
      registers: [this.registry],
      collect() {
        const [image, latent] = values(sources.cache());
        this.set({ tier: 'image' }, image);
        this.set({ tier: 'latent' }, latent);
      },
    });
  }

  #deviceGauge(name: string, help: string, value: (device: DeviceGauges) => number, sources: MetricSources): void {
    new Gauge({
      name,
      help,
      labelNames: ['device'],
      registers: [this.registry],
      collect() {
        for (const device of sources.devices()) this.set({ device: device.device }, value(device));
      },
    });
  }
}
