/** One fuzzing session in a worker thread, so that the main thread can watch for hangs and hunger. */
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { distill, Fuzzer } from './engine.js';
import { EDGES_GLOBAL } from './instrument.js';
import type { FuzzTarget } from './targets.js';

export interface SessionData {
  /** The instrumented copy of `targets.js`. */
  readonly targets: string;
  readonly target: string;
  readonly edges: number;
  readonly words: readonly string[];
  readonly corpus: readonly Uint8Array[];
  readonly seconds: number;
  readonly seed: number;
  readonly maxBytes: number;
  /** Two 32-bit numbers, the count of runs and the length of the input being run, then that input. */
  readonly current: SharedArrayBuffer;
}

export interface SessionReport {
  readonly runs: number;
  readonly edges: number;
  readonly corpus: readonly Uint8Array[];
  readonly fault?: { readonly data: Uint8Array; readonly text: string };
}

/** Bytes before the input in `SessionData.current`. */
export const CURRENT_HEADER_BYTES = 8;
/** Steps between two looks at the clock. */
const STEPS = 64;

/** Numbers in [0, 1) from a seed (xorshift32), so that a session can be had again. */
function seededRandom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

async function session(data: SessionData): Promise<SessionReport> {
  const edges = new Uint8Array(data.edges);
  Object.assign(globalThis, { [EDGES_GLOBAL]: edges });
  const { FUZZ_TARGETS } = (await import(pathToFileURL(data.targets).href)) as {
    FUZZ_TARGETS: Readonly<Record<string, FuzzTarget>>;
  };
  const target = FUZZ_TARGETS[data.target];
  if (target === undefined) throw new Error(`no target ${data.target}`);
  const counts = new Uint32Array(data.current, 0, 2);
  const bytes = new Uint8Array(data.current, CURRENT_HEADER_BYTES);
  const before = (input: Uint8Array): void => {
    bytes.set(input);
    counts[1] = input.byteLength;
    counts[0] = (counts[0] ?? 0) + 1;
  };
  const run = (input: Uint8Array): boolean => target.run(input);
  const options = {
    seeds: [...target.seeds, ...data.corpus],
    words: data.words.map((word) => Buffer.from(word)),
    random: seededRandom(data.seed),
    maxBytes: data.maxBytes,
    edges,
    before,
  };
  const end = performance.now() + data.seconds * 1000;
  let fuzzer: Fuzzer | undefined;
  try {
    fuzzer = new Fuzzer(run, options);
    while (performance.now() < end) for (let step = 0; step < STEPS; step++) fuzzer.step();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const fault = { data: bytes.slice(0, counts[1]), text };
    return { runs: counts[0] ?? 0, edges: fuzzer?.edgesReached ?? 0, corpus: [], fault };
  }
  return { runs: fuzzer.runs, edges: fuzzer.edgesReached, corpus: distill(run, edges, fuzzer.corpus) };
}

if (parentPort !== null) parentPort.postMessage(await session(workerData as SessionData));
