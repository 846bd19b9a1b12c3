/**
 * Objects that left a tier lately, without their bytes. A request for one of them is one that a tier larger by the ghost
 * list's budget would have answered: the measure of what growing the tier is worth, whatever its order of eviction.
 */
import { NONE, SlotList, type SlotLinks } from './slot-list.js';
import type { SlotTable } from './slot-table.js';

/** Ghosts that one operation drops at most, beyond the one that it replaces. */
const MAX_DROPS = 8;

export class GhostList {
  /** Bytes that the entries had in the tier. */
  bytes = 0;
  entries = 0;
  limitBytes = 0;
  readonly #table: SlotTable;
  readonly #list: SlotList;
  readonly #bit: number;
  readonly #weightOf: (slot: number) => number;
  readonly #forgotten: (slot: number) => void;

  /**
   * @param bit of `SlotTable.flags`
   * @param weightOf bytes of a slot's entry in the tier, the same as long as the slot is a ghost
   * @param forgotten told of each slot that leaves the list by age
   */
  constructor(
    table: SlotTable,
    links: SlotLinks,
    bit: number,
    weightOf: (slot: number) => number,
    forgotten: (slot: number) => void,
  ) {
    this.#table = table;
    this.#list = new SlotList(links);
    this.#bit = bit;
    this.#weightOf = weightOf;
    this.#forgotten = forgotten;
  }

  has(slot: number): boolean {
    return ((this.#table.flags[slot] ?? 0) & this.#bit) !== 0;
  }

  add(slot: number): void {
    if (this.has(slot)) this.remove(slot);
    this.#list.addFirst(slot);
    this.#table.flags[slot] = (this.#table.flags[slot] ?? 0) | this.#bit;
    const weight = this.#weightOf(slot);
    this.bytes += weight;
    this.entries += 1;
    let dropped = 0;
    let extra = 0;
    while (this.bytes > this.limitBytes) {
      if (dropped >= weight && ++extra > MAX_DROPS) return;
      const oldest = this.#list.last;
      if (oldest === NONE) return;
      dropped += this.#weightOf(oldest);
      this.remove(oldest);
      this.#forgotten(oldest);
    }
  }

  remove(slot: number): void {
    this.#list.remove(slot);
    this.#table.flags[slot] = (this.#table.flags[slot] ?? 0) & ~this.#bit;
    this.bytes -= this.#weightOf(slot);
    this.entries -= 1;
  }
}
