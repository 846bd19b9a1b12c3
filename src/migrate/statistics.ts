/** Quantiles and sums of what was measured, as reports show them. */

export interface Distribution {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly max: number;
}

/** @returns undefined of nothing */
export function distribution(values: readonly number[]): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const sum = sorted.reduce((total, value) => total + value, 0);
  return {
    count: sorted.length,
    mean: sum / sorted.length,
    min: at(0),
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    max: at(1),
  };
}

/** Uniformly `size` of all items, whatever their number, by Vitter's algorithm R (1985). */
export class Reservoir<Item> {
  readonly items: Item[] = [];
  #seen = 0;

  constructor(
    private readonly size: number,
    /** In [0, 1). */
    private readonly random: () => number,
  ) {}

  add(item: Item): void {
    this.#seen += 1;
    if (this.items.length < this.size) this.items.push(item);
    else {
      const place = Math.floor(this.random() * this.#seen);
      if (place < this.size) this.items[place] = item;
    }
  }
}

/** Park and Miller's multiplicative generator (1993 constant): the same sample for the same seed, everywhere. */
export function seededRandom(seed: number): () => number {
  const modulus = 2 ** 31 - 1;
  let state = (seed % (modulus - 1)) + 1;
  return () => {
    state = (state * 48_271) % modulus;
    return state / modulus;
  };
}
