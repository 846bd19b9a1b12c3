/** A coverage-guided fuzzer: an input that takes a branch, or takes it a new number of times, is kept and changed further. */
import { Mutator, type Random } from './mutate.js';

/** Runs one input; anything that it throws is a fault. */
export type Run = (data: Uint8Array) => unknown;

export interface FuzzOptions {
  readonly seeds: readonly Uint8Array[];
  readonly words: readonly Uint8Array[];
  readonly random: Random;
  readonly maxBytes: number;
  /** Counters that `run` increments, modulo 256. */
  readonly edges: Uint8Array;
  /** Called before each input, so that a watcher can tell which one hangs. */
  readonly before?: (data: Uint8Array) => void;
}

/** Counts are told apart as 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127 and more, as AFL does. */
const BUCKETS = Uint8Array.from({ length: 256 }, (_, count) => {
  if (count <= 3) return [0, 1, 2, 4][count] ?? 0;
  if (count < 8) return 8;
  if (count < 16) return 16;
  if (count < 32) return 32;
  return count < 128 ? 64 : 128;
});

/** New inputs are of more use than old ones: half of all picks are among this many newest. */
const RECENT = 16;

export class Fuzzer {
  readonly corpus: Uint8Array[] = [];
  runs = 0;
  readonly #seen: Uint8Array;
  readonly #mutator: Mutator;

  constructor(
    readonly run: Run,
    readonly options: FuzzOptions,
  ) {
    this.#seen = new Uint8Array(options.edges.length);
    this.#mutator = new Mutator(options.random, options.words, options.maxBytes);
    // Copies, since a Buffer's own slice would share its memory with what is changed later.
    for (const seed of [new Uint8Array(), ...options.seeds]) this.#try(new Uint8Array(seed));
  }

  /** Counters that some input has reached. */
  get edgesReached(): number {
    return this.#seen.reduce((sum, buckets) => sum + Math.sign(buckets), 0);
  }

  /** Tries one new input. */
  step(): void {
    this.#try(this.#mutator.mutate(this.#pick(), this.#pick()));
  }

  #pick(): Uint8Array {
    const { corpus } = this;
    const from = this.options.random() < 0.5 ? Math.max(0, corpus.length - RECENT) : 0;
    return corpus[from + this.#mutator.below(corpus.length - from)] ?? new Uint8Array();
  }

  #try(data: Uint8Array): void {
    const { edges, before } = this.options;
    before?.(data);
    edges.fill(0);
    this.run(data);
    this.runs++;
    if (markNew(edges, this.#seen) > 0) this.corpus.push(data.slice());
  }
}

/**
 * The smallest inputs of a corpus that together still take every branch as often as all of it does, once with and once
 * without an answer (a true result of `run`).
 *
 * @param edges the counters that `run` increments
 */
export function distill(run: Run, edges: Uint8Array, corpus: readonly Uint8Array[]): Uint8Array[] {
  const reached = { answered: new Uint8Array(edges.length), refused: new Uint8Array(edges.length) };
  const bySize = [...corpus].sort((a, b) => a.byteLength - b.byteLength);
  return bySize.filter((data) => {
    edges.fill(0);
    const outcome = run(data) === true ? reached.answered : reached.refused;
    return markNew(edges, outcome) > 0;
  });
}

/** Adds the buckets of all counters to `seen`; gives how many were not in it. */
function markNew(edges: Uint8Array, seen: Uint8Array): number {
  let found = 0;
  for (let edge = 0; edge < edges.length; edge++) {
    const bucket = BUCKETS[edges[edge] ?? 0] ?? 0;
    const before = seen[edge] ?? 0;
    if (bucket === 0 || (before & bucket) !== 0) continue;
    seen[edge] = before | bucket;
    found++;
  }
  return found;
}
