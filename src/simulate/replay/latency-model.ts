/**
 * What a decode, a fetch and a generation take in a replay. The noise depends on the request's number alone, so that
 * all configurations of a run meet the same weather.
 */

export interface LatencyOptions {
  /** Means, in milliseconds. */
  readonly decodeMs: number;
  readonly fetchMs: number;
  readonly generationMs: number;
  /** An answer from memory. */
  readonly hitMs: number;
  /** Changes of weather, in the order of `from`. */
  readonly phases: readonly LatencyPhase[];
}

/** From a share of the requests on, latencies are multiples of their means. */
export interface LatencyPhase {
  readonly from: number;
  readonly decode: number;
  readonly fetch: number;
}

/** Published means; a fetch spreads as published (5 to 95 %: 79 to 146 ms around 107), a decode hardly. */
export const PUBLISHED_LATENCIES: LatencyOptions = {
  decodeMs: 40,
  fetchMs: 100,
  generationMs: 4309,
  hitMs: 0,
  phases: [],
};

const FETCH_SPREAD = 0.187;
const DECODE_SPREAD = 0.05;
const TABLE_BITS = 12;
const TABLE = 1 << TABLE_BITS;

export class LatencyModel {
  readonly hitMs: number;
  readonly #decode: Float64Array;
  readonly #fetch: Float64Array;
  readonly #generation: Float64Array;
  readonly #phases: readonly { readonly firstRequest: number; readonly decode: number; readonly fetch: number }[];
  #next = 0;
  #decodeFactor = 1;
  #fetchFactor = 1;

  /** @throws RangeError where a latency is not a positive number */
  constructor(options: LatencyOptions, requests: number) {
    const { decodeMs, fetchMs, generationMs, hitMs, phases } = options;
    for (const [name, ms] of Object.entries({ decodeMs, fetchMs, generationMs }))
      if (!(ms > 0 && ms < 1e6)) throw new RangeError(`${name} must be over 0 and under 1,000,000`);
    if (!(hitMs >= 0)) throw new RangeError('hitMs must be at least 0');
    this.hitMs = hitMs;
    this.#decode = quantiles(decodeMs, DECODE_SPREAD);
    this.#fetch = quantiles(fetchMs, FETCH_SPREAD);
    this.#generation = quantiles(generationMs, DECODE_SPREAD);
    this.#phases = phases.map(({ from, decode, fetch }) => ({
      firstRequest: Math.floor(from * requests),
      decode,
      fetch,
    }));
  }

  /** To be called before the latencies of a request, in ascending order. */
  at(request: number): void {
    for (let phase = this.#phases[this.#next]; phase !== undefined && request >= phase.firstRequest;) {
      this.#decodeFactor = phase.decode;
      this.#fetchFactor = phase.fetch;
      this.#next += 1;
      phase = this.#phases[this.#next];
    }
  }

  decode(request: number): number {
    return this.#decodeFactor * (this.#decode[draw(request, 0x9e3779b1)] ?? 0);
  }
  fetch(request: number): number {
    return this.#fetchFactor * (this.#fetch[draw(request, 0x85ebca6b)] ?? 0);
  }
  generation(request: number): number {
    return this.#generation[draw(request, 0xc2b2ae35)] ?? 0;
  }
}

function draw(request: number, salt: number): number {
  const mixed = Math.imul(request ^ (request >>> 15), salt);
  return Math.imul(mixed ^ (mixed >>> 13), 0x27d4eb2f) >>> (32 - TABLE_BITS);
}

/** Evenly spaced quantiles of a log-normal distribution of the given mean. */
function quantiles(mean: number, spread: number): Float64Array {
  const values = Float64Array.from({ length: TABLE }, (_, i) => Math.exp(spread * normalQuantile((i + 0.5) / TABLE)));
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => (value * mean * TABLE) / sum);
}

/** Inverse of the normal distribution's cumulative function, by bisection. */
function normalQuantile(p: number): number {
  let low = -8;
  let high = 8;
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (normalCumulative(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Abramowitz and Stegun 26.2.17, error under 7.5e-8. */
function normalCumulative(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return x >= 0 ? 1 - tail : tail;
}
