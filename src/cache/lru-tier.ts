/**
 * Least recently used, with the list's older end marked as the tail: the entries beyond the first `1 - tail` of the
 * tier's budget. A hit there is one that a tier smaller by the tail would have missed.
 */
import { NONE, SlotList } from './slot-list.js';
import type { SlotTable } from './slot-table.js';
import type { Tier } from './tier.js';

const IN_TAIL = 1;
/** Entries that change segment in one operation at most beyond the one that caused it; a move of the border takes several operations. */
const MAX_SEGMENT_MOVES = 16;

export class LruTier implements Tier {
  bytes = 0;
  entries = 0;
  targetBytes = 0;
  readonly #table: SlotTable;
  readonly #list: SlotList;
  readonly #tailShare: number;
  /** Newest entry of the tail. */
  #tailFirst = NONE;
  #mainBytes = 0;

  /** @param tailShare share of the budget that counts as tail, 0..1 */
  constructor(table: SlotTable, tailShare: number) {
    this.#table = table;
    this.#list = new SlotList(table.links);
    this.#tailShare = tailShare;
  }

  get tailBytes(): number {
    return this.bytes - this.#mainBytes;
  }

  setTarget(bytes: number): void {
    this.targetBytes = bytes;
  }

  insert(slot: number, weight: number): void {
    this.#table.weight[slot] = weight;
    this.#table.mark[slot] = 0;
    this.#list.addFirst(slot);
    this.bytes += weight;
    this.#mainBytes += weight;
    this.entries += 1;
    this.#balance();
  }

  touch(slot: number): boolean {
    const inTail = this.#table.mark[slot] === IN_TAIL;
    if (inTail) {
      if (this.#tailFirst === slot) this.#tailFirst = this.#list.after(slot);
      this.#table.mark[slot] = 0;
      this.#mainBytes += this.#table.weight[slot] ?? 0;
    }
    if (this.#list.first !== slot) {
      this.#list.remove(slot);
      this.#list.addFirst(slot);
    }
    if (inTail) this.#balance();
    return inTail;
  }

  reweigh(slot: number, weight: number): void {
    const change = weight - (this.#table.weight[slot] ?? 0);
    this.#table.weight[slot] = weight;
    this.bytes += change;
    if (this.#table.mark[slot] !== IN_TAIL) this.#mainBytes += change;
    this.#balance();
  }

  remove(slot: number): void {
    const weight = this.#table.weight[slot] ?? 0;
    if (this.#tailFirst === slot) this.#tailFirst = this.#list.after(slot);
    if (this.#table.mark[slot] !== IN_TAIL) this.#mainBytes -= weight;
    this.#list.remove(slot);
    this.bytes -= weight;
    this.entries -= 1;
    this.#balance();
  }

  evict(): number {
    const slot = this.#list.last;
    if (slot !== NONE) this.remove(slot);
    return slot;
  }

  /** Moves the line between main and tail to where the budget puts it. */
  #balance(): void {
    const { mark, weight } = this.#table;
    const mainTarget = this.targetBytes * (1 - this.#tailShare);
    let moves = 0;
    while (this.#mainBytes > mainTarget && moves < MAX_SEGMENT_MOVES) {
      const slot = this.#tailFirst === NONE ? this.#list.last : this.#list.before(this.#tailFirst);
      if (slot === NONE) return;
      mark[slot] = IN_TAIL;
      this.#mainBytes -= weight[slot] ?? 0;
      this.#tailFirst = slot;
      moves += 1;
    }
    while (this.#tailFirst !== NONE && moves < MAX_SEGMENT_MOVES) {
      const slot = this.#tailFirst;
      const bytes = weight[slot] ?? 0;
      if (this.#mainBytes + bytes > mainTarget) return;
      mark[slot] = 0;
      this.#mainBytes += bytes;
      this.#tailFirst = this.#list.after(slot);
      moves += 1;
    }
  }
}
