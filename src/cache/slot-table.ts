/** What the cache knows of each slot beside its payload, in typed arrays that grow together. */
import { SlotLinks, grown } from './slot-list.js';

/** Where an object's entry is; `imageWithLatent`: the image's entry also keeps the latent, and pays for it. */
export const PLACE = { nowhere: 0, image: 1, imageWithLatent: 2, latent: 3 } as const;

const FIRST_SIZE = 1024;

export class SlotTable {
  /** Links of whichever tier holds the slot. */
  readonly links = new SlotLinks();
  /** Bytes of the slot's entry in its tier, bookkeeping included. */
  weight = new Uint32Array(0);
  /** Bytes of the object's latent, for the day when its image is evicted. */
  latentBytes = new Uint32Array(0);
  /** Latent hits since the slot entered the latent tier. */
  hits = new Uint16Array(0);
  /** One of `PLACE`. */
  place = new Uint8Array(0);
  /** The tier's own note: "in the tail" for LRU, "visited" for SIEVE. */
  mark = new Uint8Array(0);

  get size(): number {
    return this.place.length;
  }

  /** Makes room for the slots below `slots`; doubling, so that the cost per slot stays the same. */
  reserve(slots: number): void {
    if (slots <= this.size) return;
    const size = Math.max(slots, 2 * this.size, FIRST_SIZE);
    this.links.resize(size);
    this.weight = grown(this.weight, new Uint32Array(size));
    this.latentBytes = grown(this.latentBytes, new Uint32Array(size));
    this.hits = grown(this.hits, new Uint16Array(size));
    this.place = grown(this.place, new Uint8Array(size));
    this.mark = grown(this.mark, new Uint8Array(size));
  }
}
