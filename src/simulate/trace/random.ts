/** Seeded randomness for traces: a fast sequence, a hash of numbers, and a permutation that needs no table. */

const TWO_POW_32 = 2 ** 32;

/** Mixes two 32-bit numbers into one, every bit depending on every bit (Murmur3's finaliser over a Weyl step). */
export function hash32(seed: number, value: number): number {
  let h = (Math.imul(value, 0x9e3779b1) ^ seed) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A number strictly between 0 and 1 that depends on both arguments only. */
export function hashUnit(seed: number, value: number): number {
  return (hash32(seed, value) + 0.5) / TWO_POW_32;
}

/** A standard normal number that depends on both arguments only (Box and Muller). */
export function hashNormal(seed: number, value: number): number {
  const radius = Math.sqrt(-2 * Math.log(hashUnit(seed, value)));
  return radius * Math.cos(2 * Math.PI * hashUnit(seed ^ 0x5bd1e995, value));
}

/** The generator sfc32 (Doty-Humphrey): 128 bits of state, passes PractRand, a few nanoseconds a number. */
export class RandomSequence {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = hash32(seed, 1);
    this.#b = hash32(seed, 2);
    this.#c = hash32(seed, 3);
    for (let i = 0; i < 12; i++) this.unit();
  }

  /** Strictly between 0 and 1. */
  unit(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return ((sum >>> 0) + 0.5) / TWO_POW_32;
  }
}

const FEISTEL_ROUNDS = 4;

/**
 * A permutation of 0 … size-1: a Feistel network over the next power of four, walked until it falls inside.
 *
 * @param size from 1 to 2^30
 */
export class Permutation {
  readonly #halfBits: number;
  readonly #mask: number;

  constructor(
    readonly size: number,
    readonly seed: number,
  ) {
    this.#halfBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2));
    this.#mask = 2 ** this.#halfBits - 1;
  }

  at(index: number): number {
    let value = index;
    do {
      let left = value >>> this.#halfBits;
      let right = value & this.#mask;
      for (let round = 0; round < FEISTEL_ROUNDS; round++) {
        const next = left ^ (hash32(this.seed + round, right) & this.#mask);
        left = right;
        right = next;
      }
      value = left * (this.#mask + 1) + right;
    } while (value >= this.size);
    return value;
  }
}
