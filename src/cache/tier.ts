/** What the cache needs of a tier: an order of eviction over slots, in bytes. */
export interface Tier {
  readonly bytes: number;
  readonly entries: number;
  /** What the tier may hold, in bytes; where the tail of an LRU begins depends on it. */
  readonly targetBytes: number;
  setTarget(bytes: number): void;
  insert(slot: number, weight: number): void;
  /** Notes a hit. @returns whether it was in the tail, the part that a smaller tier would have lost */
  touch(slot: number): boolean;
  /** Changes the bytes of an entry that is in the tier. */
  reweigh(slot: number, weight: number): void;
  remove(slot: number): void;
  /** Takes out the entry that is to go next. @returns its slot, or `NONE` where the tier is empty */
  evict(): number;
}

export type EvictionPolicy = 'lru' | 'sieve';
