/** `latentbox plan`: what latents would cost and save, for a bucket and its log, or for the published workload. */
import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { openBackingStore } from '../backing-store.js';
import { loadConfig } from '../config/load.js';
import { listLocation } from '../migrate/listing.js';
import { computePlan } from '../plan/cost-model.js';
import { measureDemand, viewsPerYear } from '../plan/demand.js';
import { readInventory, takeInventory, type Inventory } from '../plan/inventory.js';
import { LIST_PRICES, overridePrices, type Prices } from '../plan/prices.js';
import { formatPlan, planPage } from '../plan/report.js';
import { PUBLISHED_WORKLOAD, type Workload } from '../plan/workload.js';
import { openTrace, TRACE_FORMATS } from '../simulate/trace/open-trace.js';
import { addLogOptions, traceOptions, type TraceFlags } from './trace-options.js';

interface Flags extends TraceFlags {
  readonly inventory?: string;
  readonly config?: string;
  readonly data?: string;
  readonly months?: number;
  readonly tierAfterYears?: number;
  readonly price?: readonly string[];
  readonly birthsPerMonth?: number;
  readonly viewsPerYear?: number;
  readonly decodeShare?: number;
  readonly decodeMs?: number;
  readonly encodeMs?: number;
  readonly json?: true;
  readonly html?: string;
}

const DEFAULT_MONTHS = 35;
/** Of a gateway's own encoder without refinement, on a GPU of the class that the default price is for. */
const DEFAULT_ENCODE_MS = 60;
const DEFAULT_LATENT_SHARE = 0.2;
const LIST_TIMEOUT_MS = 24 * 3_600_000;

export function planCommand(): Command {
  const names = Object.entries(LIST_PRICES).map(([name, value]) => `${name}=${value}`);
  return addLogOptions(
    new Command('plan')
      .description('Say what storing latents would cost and save: storage, requests, retrieval, GPU, break-even.')
      .argument('[bucket]', 'BUCKET or BUCKET/PREFIX in the store of the configuration, which is listed'),
  )
    .option('--inventory <file>', 'instead of listing: an S3 Inventory (CSV), or any CSV with key and size')
    .option('--config <file>', 'configuration that names the store (default: ./data)')
    .option('--data <dir>', 'folder of the embedded filesystem store')
    .option('--months <n>', `how far to look ahead (default: ${DEFAULT_MONTHS})`, number(1, 1200, true))
    .option('--tier-after-years <n>', 'age from which images lie in Glacier Instant Retrieval', number(0, 100))
    .option('--price <name=value>', 'a price instead of the list price (repeatable)', collect)
    .option(
      '--births-per-month <n>',
      'images that come in a month (default: as the last year, or published)',
      number(0),
    )
    .option('--views-per-year <n>', 'views of an image in a year (default: as in the log, or published)', number(0))
    .option('--decode-share <share>', 'views that no cached image answers (default: published, 0.632)', number(0, 1))
    .option('--decode-ms <ms>', 'GPU time of a decode (default: published, 40)', number(0))
    .option('--encode-ms <ms>', `GPU time to encode an existing image (default: ${DEFAULT_ENCODE_MS})`, number(0))
    .option('--json', 'one JSON document on stdout')
    .option('--html <file>', 'also write a page with curves')
    .addHelpText(
      'after',
      `
Without a bucket and an inventory, the published workload: 3.76 million new images a month. "latentbox simulate" says
what share of the views a cache of your size leaves to decode. docs/plan.md explains the model.

Prices: ${names.join(', ')}

Examples:
  latentbox plan
  latentbox plan --months 300 --price gpuHour=2.5 --html plan.html
  latentbox plan images/generated/ --config gateway.yaml --trace access-logs/ --format s3
  latentbox plan --inventory inventory.csv.gz --views-per-year 4 --tier-after-years 1 --json`,
    )
    .action(plan);
}

async function plan(bucket: string | undefined, flags: Flags): Promise<void> {
  const prices = pricesOf(flags);
  const workload = await workloadOf(bucket, flags);
  const horizon = { months: flags.months ?? DEFAULT_MONTHS, tierAfterYears: flags.tierAfterYears };
  const result = computePlan(workload, prices, horizon);
  if (flags.html !== undefined) await writeFile(flags.html, planPage(result, workload, prices, horizon));
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ workload, prices, horizon, ...result }, null, 1)}\n`
      : formatPlan(result, workload),
  );
}

function pricesOf({ price = [] }: Flags): Prices {
  try {
    return overridePrices(price);
  } catch (error) {
    throw new InvalidArgumentError(`--price ${(error as Error).message}`);
  }
}

async function workloadOf(bucket: string | undefined, flags: Flags): Promise<Workload> {
  if (bucket !== undefined && flags.inventory !== undefined)
    throw new InvalidArgumentError('a bucket is listed or an inventory is read, not both');
  if (flags.trace !== undefined && flags.format === undefined)
    throw new InvalidArgumentError(`--trace needs --format ${TRACE_FORMATS.join('|')}`);
  const inventory = await inventoryOf(bucket, flags);
  const base = inventory === undefined ? PUBLISHED_WORKLOAD : fromInventory(bucket ?? flags.inventory ?? '', inventory);
  const demand = flags.trace === undefined ? undefined : await measureDemand(openTrace(traceOptions(flags)));
  const images = inventory?.images ?? demand?.objects ?? 0;
  return {
    ...base,
    ...(demand && {
      earlyViews: 0,
      viewsPerYear: viewsPerYear(demand, images),
      source: `${base.source}, views of ${flags.trace ?? ''}`,
    }),
    ...(flags.viewsPerYear !== undefined && { earlyViews: 0, viewsPerYear: flags.viewsPerYear }),
    ...(flags.birthsPerMonth !== undefined && { birthsPerMonth: flags.birthsPerMonth }),
    ...(flags.decodeShare !== undefined && { decodeShare: flags.decodeShare }),
    ...(flags.decodeMs !== undefined && { decodeMs: flags.decodeMs }),
    ...(flags.encodeMs !== undefined && { encodeMs: flags.encodeMs }),
  };
}

function fromInventory(source: string, inventory: Inventory): Workload {
  return {
    ...PUBLISHED_WORKLOAD,
    source,
    existing: inventory.ages,
    birthsPerMonth: inventory.birthsPerMonth ?? 0,
    sizes: inventory.sizes,
    encodeMs: DEFAULT_ENCODE_MS,
  };
}

async function inventoryOf(bucket: string | undefined, flags: Flags): Promise<Inventory | undefined> {
  const options = { latentShare: flags.latentShare ?? DEFAULT_LATENT_SHARE, now: new Date() };
  let inventory: Inventory | undefined;
  if (flags.inventory !== undefined) inventory = await takeInventory(readInventory(flags.inventory), options);
  if (bucket !== undefined) {
    const config = await loadConfig({
      ...(flags.config !== undefined && { file: flags.config }),
      environment: process.env,
      commandLine:
        flags.data === undefined
          ? []
          : [{ option: '--data', path: ['store'], value: { type: 'filesystem', path: flags.data } }],
    });
    const store = await openBackingStore(config);
    try {
      const [name = '', ...prefix] = bucket.replace(/^s3:\/\//, '').split('/');
      const location = { bucket: name, prefix: prefix.join('/') };
      inventory = await takeInventory(listLocation(store, location, [], AbortSignal.timeout(LIST_TIMEOUT_MS)), options);
    } finally {
      await store.close();
    }
  }
  if (inventory?.images === 0) throw new Error(`${bucket ?? flags.inventory ?? ''} holds no PNG (by name: *.png)`);
  return inventory;
}

function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function number(least: number, most = Infinity, whole = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const valid = text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (!valid || !Number.isFinite(value))
      throw new InvalidArgumentError(
        `expected a ${whole ? 'whole ' : ''}number of at least ${least}${most < Infinity ? `, at most ${most}` : ''}`,
      );
    return value;
  };
}
