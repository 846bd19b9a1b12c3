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

/**
 * The least time of each of two ways in milliseconds, run in turn, so that both meet the same weather; the least, since
 * everything that disturbs a run only lengthens it.
 */
export async function leastMillisecondsInTurn(
  runs: number,
  ours: () => unknown,
  peer: () => unknown,
): Promise<{ ours: number; peer: number }> {
  const least = { ours: Infinity, peer: Infinity };
  for (let i = 0; i < runs; i++) {
    least.ours = Math.min(least.ours, await milliseconds(ours));
    least.peer = Math.min(least.peer, await milliseconds(peer));
  }
  return least;
}

async function milliseconds(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
