/**
 * Doubly linked lists over small whole numbers ("slots") in typed arrays: moving an entry allocates nothing, and an
 * entry costs eight bytes.
 */

/** Stands for "no slot". */
export const NONE = -1;

/** The link pairs of all slots; a slot may be in one list over the same pairs at a time. */
export class SlotLinks {
  /** Towards the first entry. */
  before = new Int32Array(0);
  /** Towards the last entry. */
  after = new Int32Array(0);

  resize(slots: number): void {
    this.before = grown(this.before, new Int32Array(slots));
    this.after = grown(this.after, new Int32Array(slots));
  }
}

export class SlotList {
  first = NONE;
  last = NONE;

  constructor(readonly links: SlotLinks) {}

  addFirst(slot: number): void {
    const { before, after } = this.links;
    before[slot] = NONE;
    after[slot] = this.first;
    if (this.first === NONE) this.last = slot;
    else before[this.first] = slot;
    this.first = slot;
  }

  /** @param slot one that is in this list */
  remove(slot: number): void {
    const { before, after } = this.links;
    const previous = before[slot] ?? NONE;
    const next = after[slot] ?? NONE;
    if (previous === NONE) this.first = next;
    else after[previous] = next;
    if (next === NONE) this.last = previous;
    else before[next] = previous;
  }

  before(slot: number): number {
    return this.links.before[slot] ?? NONE;
  }

  after(slot: number): number {
    return this.links.after[slot] ?? NONE;
  }
}

/** The larger array with the smaller one's content. */
export function grown<Array extends Int32Array | Uint32Array | Uint16Array | Uint8Array>(
  old: Array,
  larger: Array,
): Array {
  larger.set(old);
  return larger;
}
