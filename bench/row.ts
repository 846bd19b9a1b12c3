/** One measured line of a benchmark, as `npm run bench -- NAME --json` prints it. */
export interface BenchRow {
  readonly bench: string;
  /** What was done, and to what kind of data. */
  readonly case: string;
  readonly ours: number;
  /** The peer's figure, measured in the same run. */
  readonly peer: number;
  readonly unit: string;
  /** Over 1 where ours is better. */
  readonly ratio: number;
  /** What the peer is. */
  readonly versus: string;
}

/** Measures and yields rows as they come. */
export type Bench = () => AsyncIterable<BenchRow>;

/** The least time of several runs in milliseconds, since everything that disturbs a run only lengthens it. */
export async function leastMilliseconds(runs: number, run: () => unknown): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
