import { runInThisContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { distill, Fuzzer, type Run } from './engine.js';
import { EDGES_GLOBAL, instrument } from './instrument.js';
import { readSeeds } from './seeds.js';
import { FUZZ_TARGETS } from './targets.js';

/** A parser with a fault behind four bytes: found by guidance in some thousand runs, by luck in one of 2^32. */
const FAULTY = `(data) => {
  if (data[0] === 0x4c) if (data[1] === 0x42) if (data[2] === 0x58)
    for (const byte of data.subarray(3)) if (byte === 0x21) throw new RangeError('found');
  return data.length > 2 ? 'long' : 'short';
}`;

const random = (): (() => number) => {
  let state = 7;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
};

afterEach(() => {
  Reflect.deleteProperty(globalThis, EDGES_GLOBAL);
});

function faulty(): { run: Run; edges: Uint8Array } {
  const { code, edges: count } = instrument(FAULTY, 0);
  const edges = new Uint8Array(count);
  Object.assign(globalThis, { [EDGES_GLOBAL]: edges });
  return { run: runInThisContext(code) as Run, edges };
}

describe('instrument', () => {
  it('keeps what a module does and counts its branches', () => {
    const { run, edges } = faulty();
    expect(run(Uint8Array.of(1, 2, 3))).toBe('long');
    expect(run(Uint8Array.of(1))).toBe('short');
    expect(edges.reduce((sum, count) => sum + Math.sign(count), 0)).toBeGreaterThanOrEqual(4);
  });

  it('collects the words that a parser compares with', () => {
    expect(instrument("import 'node:fs'; if (kind === 'IHDR') x('');", 0).words).toEqual(['IHDR']);
  });
});

describe('Fuzzer', () => {
  it('finds a fault behind four nested comparisons', () => {
    const { run, edges } = faulty();
    const fuzzer = new Fuzzer(run, { seeds: [], words: [], random: random(), maxBytes: 16, edges });
    const search = (): void => {
      for (let step = 0; step < 200_000; step++) fuzzer.step();
    };
    expect(search).toThrow('found');
    expect(fuzzer.corpus.length).toBeGreaterThan(3);
  });

  it('never runs an input that is longer than allowed', () => {
    const { edges } = faulty();
    let longest = 0;
    const run: Run = (data) => void (longest = Math.max(longest, data.byteLength));
    const fuzzer = new Fuzzer(run, { seeds: [], words: [Buffer.from('word')], random: random(), maxBytes: 16, edges });
    for (let step = 0; step < 2000; step++) fuzzer.step();
    expect(longest).toBe(16);
  });

  it('leaves its seeds as they are, Buffers too', () => {
    const { run, edges } = faulty();
    const seed = Buffer.from('a seed');
    const fuzzer = new Fuzzer(run, { seeds: [seed], words: [], random: random(), maxBytes: 16, edges });
    for (let step = 0; step < 100; step++) fuzzer.step();
    expect(seed.toString()).toBe('a seed');
  });

  it('distils a corpus to inputs that reach as much', () => {
    const { run, edges } = faulty();
    const corpus = [[0x4c, 0x42, 9], [9], [8], [0x4c, 0x42], [0x4c]].map((bytes) => Uint8Array.from(bytes));
    expect(distill(run, edges, corpus).map((data) => [...data])).toEqual([[9], [0x4c], [0x4c, 0x42], [0x4c, 0x42, 9]]);
  });
});

describe('parsers and decoders', () => {
  it.each(Object.entries(FUZZ_TARGETS))('%s answers its seeds', (_, target) => {
    expect(target.seeds.some((seed) => target.run(seed))).toBe(true);
  });

  it.each(Object.entries(FUZZ_TARGETS))('%s answers or refuses what fuzzing sessions kept', async (name, target) => {
    const corpus = await readSeeds(name);
    const answered = corpus.filter((data) => target.run(data));
    // Both ways out are in the corpus, or it tests less than it seems to.
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.length).toBeLessThan(corpus.length);
  });
});
