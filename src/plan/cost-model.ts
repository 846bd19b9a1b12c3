/**
 * What a workload costs as a store of PNGs and as a store of latents, month by month.
 *
 * Both stores stand behind the same image cache, so they get the same reads: those that no cached image answers. Latents
 * add a decode to each. Images of a month are billed for half of it. Money of different years is added as it is.
 */
import type { Prices } from './prices.js';
import { meanOver, type SizeClass, type Workload } from './workload.js';

export interface Horizon {
  readonly months: number;
  /** Age in years from which images lie in Glacier Instant Retrieval; undefined: never. */
  readonly tierAfterYears?: number | undefined;
}

/** Dollars spent, or summed up. */
export interface Costs {
  readonly storage: number;
  readonly requests: number;
  readonly retrieval: number;
  readonly gpu: number;
  readonly total: number;
}

export interface PlanMonth {
  /** From 1. */
  readonly month: number;
  /** Images stored at its end. */
  readonly images: number;
  readonly views: number;
  readonly gpuHours: number;
  /** Spent since the start. */
  readonly png: Costs;
  readonly latent: Costs;
}

export interface Plan {
  readonly months: readonly PlanMonth[];
  /** Over the whole horizon. */
  readonly png: Costs;
  readonly latent: Costs;
  /** Of the latent store's cost to the PNG store's. */
  readonly ratio: number;
  readonly savedDollars: number;
  /** Bytes stored at the end. */
  readonly pngBytes: number;
  readonly latentBytes: number;
  readonly gpuHours: number;
  readonly breakEven: {
    /** First month by whose end the latent store has cost less in all; undefined: not within the horizon. */
    readonly month: number | undefined;
    /** Price of a GPU hour at the start, the others as they are, at which both cost the same over the horizon; under it latents win. */
    readonly gpuHour: number | undefined;
    /** Milliseconds of GPU a decode, likewise. */
    readonly decodeMs: number | undefined;
    /** Factor on all views, likewise: 2 means that twice as many views would eat up the saving. */
    readonly views: number | undefined;
  };
}

const MONTHS_PER_YEAR = 12;
const MS_PER_HOUR = 3_600_000;

/** @throws RangeError where the horizon is shorter than a month */
export function computePlan(workload: Workload, prices: Prices, horizon: Horizon): Plan {
  if (!(Number.isInteger(horizon.months) && horizon.months >= 1)) throw new RangeError('a horizon is at least 1 month');
  const months = accumulate(workload, prices, horizon);
  const last = months.at(-1);
  if (last === undefined) throw new RangeError('a horizon is at least 1 month');
  const { png, latent } = last;
  const month = months.find((each) => each.latent.total < each.png.total)?.month;
  const decoding = latent.gpu - encodingCost(workload, prices);
  /** How often over the decoding could be had before latents cost as much. */
  const room = decoding > 0 ? (png.total - latent.total + decoding) / decoding : undefined;
  const gpuRoom = latent.gpu > 0 ? (png.total - latent.total + latent.gpu) / latent.gpu : undefined;
  const positive = (value: number | undefined): number | undefined =>
    value !== undefined && value > 0 ? value : undefined;
  return {
    months,
    png,
    latent,
    ratio: latent.total / png.total,
    savedDollars: png.total - latent.total,
    pngBytes: last.images * meanOver(workload.sizes, ({ imageBytes }) => imageBytes),
    latentBytes: last.images * meanOver(workload.sizes, ({ latentBytes }) => latentBytes),
    gpuHours: months.reduce((sum, each) => sum + each.gpuHours, 0),
    breakEven: {
      month,
      gpuHour: positive(gpuRoom === undefined ? undefined : gpuRoom * prices.gpuHour),
      decodeMs: positive(room === undefined ? undefined : room * workload.decodeMs),
      views: positive(viewsFactor(last, decoding)),
    },
  };
}

/** Views scale decodes, reads and retrieval of both stores, but no storage. */
function viewsFactor({ png, latent }: PlanMonth, decoding: number): number | undefined {
  const perView = decoding + latent.retrieval - png.retrieval;
  return perView > 0 ? (png.total - latent.total + perView) / perView : undefined;
}

function encodingCost({ existing, encodeMs }: Workload, { gpuHour }: Prices): number {
  return ((sum(existing) * encodeMs) / MS_PER_HOUR) * gpuHour;
}

function accumulate(workload: Workload, prices: Prices, { months, tierAfterYears }: Horizon): PlanMonth[] {
  const tierAge = tierAfterYears === undefined ? Infinity : tierAfterYears * MONTHS_PER_YEAR;
  const png = new Ledger(workload.sizes, ({ imageBytes }) => imageBytes, prices);
  const latent = new Ledger(workload.sizes, ({ latentBytes }) => latentBytes, prices);
  const { decodeShare, decodeMs, encodeMs, earlyViews, viewsPerYear, birthsPerMonth } = workload;
  const before = sum(workload.existing);
  latent.convert(before, encodeMs);
  let hot = sum(workload.existing.filter((_, age) => age < tierAge));
  let cold = before - hot;
  const rows: PlanMonth[] = [];
  for (let month = 1; month <= months; month++) {
    const moving = cohort(workload, month - tierAge);
    hot -= moving;
    cold += moving;
    // Of the images born in this month, half are there on average.
    const standing = { hot: hot + birthsPerMonth / 2, cold };
    const late = viewsPerYear / MONTHS_PER_YEAR;
    const views = { hot: standing.hot * late + birthsPerMonth * earlyViews, cold: cold * late };
    hot += birthsPerMonth;
    const years = (month - 0.5) / MONTHS_PER_YEAR;
    const reads = { hot: views.hot * decodeShare, cold: views.cold * decodeShare };
    for (const ledger of [png, latent])
      ledger.month({ standing, reads, born: birthsPerMonth, moving, factor: (1 - prices.storageDecline) ** years });
    const conversion = month === 1 ? (before * encodeMs) / MS_PER_HOUR : 0;
    const decodeHours = ((reads.hot + reads.cold) * decodeMs) / MS_PER_HOUR;
    latent.gpu += decodeHours * prices.gpuHour * (1 - prices.gpuDecline) ** years;
    rows.push({
      month,
      images: hot + cold,
      views: views.hot + views.cold,
      gpuHours: decodeHours + conversion,
      png: png.costs(),
      latent: latent.costs(),
    });
  }
  return rows;
}

/** Images born in a month, months before the start being 0 and less. */
function cohort({ existing, birthsPerMonth }: Workload, month: number): number {
  if (!Number.isFinite(month)) return 0;
  return month >= 1 ? birthsPerMonth : (existing[Math.round(-month)] ?? 0);
}

interface MonthOfOneStore {
  readonly standing: { readonly hot: number; readonly cold: number };
  readonly reads: { readonly hot: number; readonly cold: number };
  readonly born: number;
  readonly moving: number;
  /** What a price has come to by now. */
  readonly factor: number;
}

/** The bill of one store. */
class Ledger {
  gpu = 0;
  #storage = 0;
  #requests = 0;
  #retrieval = 0;
  readonly #gb: number;
  readonly #standardGb: number;
  readonly #glacierGb: number;

  constructor(
    sizes: readonly SizeClass[],
    bytes: (size: SizeClass) => number,
    readonly prices: Prices,
  ) {
    const { gbBytes, standardMinimumBytes, glacierMinimumBytes } = prices;
    this.#gb = meanOver(sizes, bytes) / gbBytes;
    this.#standardGb = meanOver(sizes, (size) => Math.max(bytes(size), standardMinimumBytes)) / gbBytes;
    this.#glacierGb = meanOver(sizes, (size) => Math.max(bytes(size), glacierMinimumBytes)) / gbBytes;
  }

  /** Existing images are read, encoded and written once, before the first month. */
  convert(images: number, encodeMs: number): void {
    this.#requests += (images * (this.prices.getThousand + this.prices.putThousand)) / 1000;
    this.gpu += ((images * encodeMs) / MS_PER_HOUR) * this.prices.gpuHour;
  }

  month({ standing, reads, born, moving, factor }: MonthOfOneStore): void {
    const { prices } = this;
    const stored =
      standing.hot * this.#standardGb * prices.standardGbMonth +
      standing.cold * this.#glacierGb * prices.glacierGbMonth;
    const thousands =
      reads.hot * prices.getThousand +
      reads.cold * prices.glacierGetThousand +
      born * prices.putThousand +
      moving * prices.glacierTransitionThousand;
    this.#storage += stored * factor;
    this.#requests += (thousands / 1000) * factor;
    this.#retrieval += reads.cold * this.#gb * prices.glacierRetrievalGb * factor;
  }

  costs(): Costs {
    const [storage, requests, retrieval, gpu] = [this.#storage, this.#requests, this.#retrieval, this.gpu];
    return { storage, requests, retrieval, gpu, total: storage + requests + retrieval + gpu };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
