/**
 * Sends requests at the times of a Poisson process, whatever has been answered by then, and measures each from the time
 * at which it was due: a client that is late itself does not flatter the server. Or one after the other, for hit rates
 * that no overlap of requests disturbs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { RandomSequence } from '../../../src/simulate/trace/random.js';

const CONNECTIONS = 256;
const OUTCOMES = ['image-hit', 'latent-hit', 'miss'] as const;
type Outcome = (typeof OUTCOMES)[number];

export interface LoadOptions {
  readonly endpoint: string;
  /** Path of each request, in order. */
  readonly paths: readonly string[];
  /** Undefined: one request at a time. */
  readonly requestsPerSecond: number | undefined;
  readonly seed: number;
  readonly onProgress: (sent: number) => void;
}

export interface LoadResult {
  /** From due to answered in full, in the order of sending. */
  readonly latencyMs: Float64Array;
  /** Requests by the server's own word. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Means of the `server-timing` stages, over the answers that have them. */
  readonly stageMs: Readonly<Record<string, number>>;
  /** Requests without a 200 of the kind expected. */
  readonly failed: number;
  /** How late the client sent, at the 99th percentile. */
  readonly p99SendLagMs: number;
}

export async function openLoop(options: LoadOptions): Promise<LoadResult> {
  const { endpoint, paths, requestsPerSecond, onProgress } = options;
  const pool = new Pool(endpoint, { connections: CONNECTIONS, pipelining: 1 });
  const random = new RandomSequence(options.seed);
  const latencyMs = new Float64Array(paths.length);
  const lag = new Float64Array(paths.length);
  const outcomes: Record<Outcome, number> = { 'image-hit': 0, 'latent-hit': 0, miss: 0 };
  const stages = new Map<string, { sum: number; count: number }>();
  let failed = 0;

  const request = async (i: number, path: string, due: number): Promise<void> => {
    try {
      lag[i] = performance.now() - due;
      const { statusCode, headers, body } = await pool.request({ method: 'GET', path });
      await body.arrayBuffer();
      latencyMs[i] = performance.now() - due;
      const outcome = OUTCOMES.find((known) => known === headers['x-lbx-outcome']);
      if (statusCode !== 200 || outcome === undefined) failed += 1;
      else outcomes[outcome] += 1;
      addStages(stages, headers['server-timing']);
    } catch {
      failed += 1;
      latencyMs[i] = performance.now() - due;
    }
  };

  const running: Promise<void>[] = [];
  let due = performance.now();
  for (const [i, path] of paths.entries()) {
    if (requestsPerSecond === undefined) {
      await request(i, path, performance.now());
    } else {
      due += (-Math.log(random.unit()) / requestsPerSecond) * 1000;
      const wait = due - performance.now();
      if (wait > 0) await delay(wait);
      running.push(request(i, path, due));
    }
    onProgress(i + 1);
  }
  await Promise.all(running);
  await pool.close();
  return {
    latencyMs,
    outcomes,
    stageMs: Object.fromEntries([...stages].map(([name, { sum, count }]) => [name, sum / count])),
    failed,
    p99SendLagMs: percentile(lag, 0.99),
  };
}

function addStages(stages: Map<string, { sum: number; count: number }>, header: string | string[] | undefined): void {
  if (typeof header !== 'string') return;
  for (const [, name = '', value] of header.matchAll(/([a-z]+);dur=([\d.]+)/g)) {
    const known = stages.get(name) ?? { sum: 0, count: 0 };
    stages.set(name, { sum: known.sum + Number(value), count: known.count + 1 });
  }
}

/** By the nearest rank. */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
