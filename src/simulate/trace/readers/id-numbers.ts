/** Numbers 64-bit identifiers densely: open addressing over 32-bit halves, since a Map of bigints is ten times slower. */
const INITIAL_PLACES = 1 << 12;
/** Places are doubled when more than this share is taken. */
const MAX_LOAD = 0.6;

export class IdNumbers {
  #low = new Uint32Array(INITIAL_PLACES);
  #high = new Uint32Array(INITIAL_PLACES);
  /** Number plus one; 0 is a free place. */
  #numbers = new Uint32Array(INITIAL_PLACES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The identifier's number, the next free one where it is new. */
  number(low: number, high: number): number {
    const place = this.#find(low, high);
    const known = this.#numbers[place] ?? 0;
    if (known !== 0) return known - 1;
    this.#low[place] = low;
    this.#high[place] = high;
    this.#numbers[place] = ++this.#size;
    const number = this.#size - 1;
    if (this.#size > MAX_LOAD * this.#numbers.length) this.#grow();
    return number;
  }

  #find(low: number, high: number): number {
    const mask = this.#numbers.length - 1;
    let place = Math.imul(Math.imul(low, 0x9e3779b1) ^ (high + (low >>> 15)), 0x85ebca6b);
    place = (place ^ (place >>> 15)) & mask;
    while (this.#numbers[place] !== 0 && (this.#low[place] !== low || this.#high[place] !== high))
      place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [low, high, numbers] = [this.#low, this.#high, this.#numbers];
    this.#low = new Uint32Array(2 * low.length);
    this.#high = new Uint32Array(2 * low.length);
    this.#numbers = new Uint32Array(2 * low.length);
    for (let i = 0; i < numbers.length; i++) {
      if (numbers[i] === 0) continue;
      const place = this.#find(low[i] ?? 0, high[i] ?? 0);
      this.#low[place] = low[i] ?? 0;
      this.#high[place] = high[i] ?? 0;
      this.#numbers[place] = numbers[i] ?? 0;
    }
  }
}
