/**
 * SIEVE: entries stay in the order of arrival, a hit only marks them, and a hand that walks from the oldest to the newest
 * takes the first unmarked one and clears the marks that it passes. What is asked for once leaves soon.
 *
 * @see Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024
 */
import { NONE, SlotList } from './slot-list.js';
import type { SlotTable } from './slot-table.js';
import type { Tier } from './tier.js';

const VISITED = 1;
/** Marks that one eviction clears at most, so that no request pays for a whole walk; the walk goes on at the next. */
const MAX_STEPS = 4096;

export class SieveTier implements Tier {
  bytes = 0;
  entries = 0;
  targetBytes = 0;
  readonly #table: SlotTable;
  readonly #list: SlotList;
  #hand = NONE;

  constructor(table: SlotTable) {
    this.#table = table;
    this.#list = new SlotList(table.links);
  }

  setTarget(bytes: number): void {
    this.targetBytes = bytes;
  }

  insert(slot: number, weight: number): void {
    this.#table.weight[slot] = weight;
    this.#table.mark[slot] = 0;
    this.#list.addFirst(slot);
    this.bytes += weight;
    this.entries += 1;
  }

  /** SIEVE has no tail: what a smaller tier would lose is not at one end. */
  touch(slot: number): boolean {
    this.#table.mark[slot] = VISITED;
    return false;
  }

  reweigh(slot: number, weight: number): void {
    this.bytes += weight - (this.#table.weight[slot] ?? 0);
    this.#table.weight[slot] = weight;
  }

  remove(slot: number): void {
    if (this.#hand === slot) this.#hand = this.#list.before(slot);
    this.#list.remove(slot);
    this.bytes -= this.#table.weight[slot] ?? 0;
    this.entries -= 1;
  }

  evict(): number {
    const { mark } = this.#table;
    let slot = this.#hand === NONE ? this.#list.last : this.#hand;
    if (slot === NONE) return NONE;
    for (let step = 0; step < MAX_STEPS && mark[slot] === VISITED; step += 1) {
      mark[slot] = 0;
      slot = this.#list.before(slot);
      if (slot === NONE) slot = this.#list.last;
    }
    this.#hand = slot;
    this.remove(slot);
    return slot;
  }
}
