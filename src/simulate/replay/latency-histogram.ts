/** Counts of latencies in bins a tenth of a millisecond wide, for percentiles of any number of requests. */

const BINS_PER_MS = 10;
const MAX_MS = 20_000;

export class LatencyHistogram {
  readonly #counts = new Float64Array(MAX_MS * BINS_PER_MS + 1);
  #total = 0;

  /** @param ms latencies over 20 s count as 20 s */
  add(ms: number): void {
    const bin = Math.min(MAX_MS * BINS_PER_MS, Math.round(ms * BINS_PER_MS));
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#total += 1;
  }

  /** The least latency, in milliseconds, that `share` of the requests do not exceed; 0 where there was none. */
  percentile(share: number): number {
    const wanted = share * this.#total;
    let seen = 0;
    for (let bin = 0; bin < this.#counts.length; bin += 1) {
      seen += this.#counts[bin] ?? 0;
      if (seen >= wanted) return bin / BINS_PER_MS;
    }
    return 0;
  }
}
