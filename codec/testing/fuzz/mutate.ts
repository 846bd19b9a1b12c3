/** Changes that a coverage-guided fuzzer tries on an input: bytes, spans, numbers in binary and in text, known words. */

/** Numbers at which parsers err: around powers of two, and beyond what a double counts exactly. */
const EDGE_NUMBERS = [
  0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096, 32_767, 32_768, 65_535, 65_536,
  16_777_215, 16_777_216, 2_147_483_647, 2_147_483_648, 4_294_967_295, 4_294_967_296, 9_007_199_254_740_991,
  9_007_199_254_740_992,
];
const EDGE_TEXTS = [...EDGE_NUMBERS.map(String), '-1', '1e9', '1e999', '0.5', '-0', '99999999999999999999'];
const MAX_STACKED_CHANGES = 6;

export type Random = () => number;

type Change = (data: Uint8Array, mutator: Mutator) => Uint8Array;

/** Makes new inputs of old ones. */
export class Mutator {
  constructor(
    readonly random: Random,
    readonly words: readonly Uint8Array[],
    readonly maxBytes: number,
  ) {}

  /** @param other another input of the corpus, to take pieces of */
  mutate(data: Uint8Array, other: Uint8Array): Uint8Array {
    let changed = data;
    for (let left = 1 + this.below(MAX_STACKED_CHANGES); left > 0; left--) {
      const change = this.below(CHANGES.length + 1);
      changed = change === CHANGES.length ? this.#splice(changed, other) : this.pick(CHANGES)(changed, this);
    }
    return changed.subarray(0, this.maxBytes);
  }

  below(bound: number): number {
    return Math.floor(this.random() * bound);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** A place, mostly short of the end, and a length of what is there, mostly small. */
  span(length: number): [number, number] {
    const start = this.below(length + 1);
    const most = Math.min(length - start, this.below(4) === 0 ? length : 16);
    return [start, this.below(most + 1)];
  }

  #splice(data: Uint8Array, other: Uint8Array): Uint8Array {
    const [start, length] = this.span(other.byteLength);
    const [at, removed] = this.span(data.byteLength);
    return replace(data, at, removed, other.subarray(start, start + length));
  }
}

const flipBit: Change = (data, m) => edit(data, m, (byte) => byte ^ (1 << m.below(8)));
const setByte: Change = (data, m) => edit(data, m, () => m.below(256));
const setText: Change = (data, m) => edit(data, m, () => 32 + m.below(95));
const addToByte: Change = (data, m) => edit(data, m, (byte) => byte + m.below(33) - 16);

const remove: Change = (data, m) => {
  const [at, length] = m.span(data.byteLength);
  return replace(data, at, length, new Uint8Array());
};

const repeat: Change = (data, m) => {
  const [at, length] = m.span(data.byteLength);
  return replace(data, at, 0, data.subarray(at, at + length));
};

const move: Change = (data, m) => {
  const [from, length] = m.span(data.byteLength);
  const [at] = m.span(data.byteLength);
  return replace(data, at, length, data.subarray(from, from + length));
};

const insertBytes: Change = (data, m) => {
  const bytes = Uint8Array.from({ length: 1 + m.below(8) }, () => m.below(256));
  return replace(data, m.below(data.byteLength + 1), 0, bytes);
};

const putWord: Change = (data, m) => {
  if (m.words.length === 0) return data;
  const word = m.pick(m.words);
  const at = m.below(data.byteLength + 1);
  return replace(data, at, m.below(2) === 0 ? 0 : word.byteLength, word);
};

/** An edge number of one to eight bytes in either byte order. */
const putInteger: Change = (data, m) => {
  const width = m.pick([1, 2, 4, 8]);
  const bytes = new Uint8Array(8);
  const little = m.below(2) === 0;
  new DataView(bytes.buffer).setBigUint64(0, BigInt(m.pick(EDGE_NUMBERS)), little);
  const at = m.below(data.byteLength + 1);
  return replace(data, at, width, little ? bytes.subarray(0, width) : bytes.subarray(8 - width));
};

/** Another number in place of a run of digits. */
const putNumber: Change = (data, m) => {
  const digit = (at: number): boolean => {
    const byte = data[at] ?? 0;
    return byte >= 48 && byte <= 57;
  };
  let start = m.below(data.byteLength + 1);
  while (start < data.byteLength && !digit(start)) start++;
  if (start >= data.byteLength) return data;
  while (digit(start - 1)) start--;
  let end = start;
  while (digit(end)) end++;
  return replace(data, start, end - start, Buffer.from(m.pick(EDGE_TEXTS)));
};

const CHANGES: readonly Change[] = [
  flipBit,
  setByte,
  setText,
  addToByte,
  remove,
  repeat,
  move,
  insertBytes,
  putWord,
  putWord,
  putInteger,
  putNumber,
];

function edit(data: Uint8Array, mutator: Mutator, change: (byte: number) => number): Uint8Array {
  if (data.byteLength === 0) return data;
  const changed = data.slice();
  const at = mutator.below(changed.byteLength);
  changed[at] = change(changed[at] ?? 0);
  return changed;
}

function replace(data: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const end = Math.min(at + removed, data.byteLength);
  const result = new Uint8Array(at + inserted.byteLength + data.byteLength - end);
  result.set(data.subarray(0, at));
  result.set(inserted, at);
  result.set(data.subarray(end), at + inserted.byteLength);
  return result;
}
