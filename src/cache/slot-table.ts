/** What the cache knows of each slot beside its payload, in typed arrays that grow together. */
import { SlotLinks, grown } from './slot-list.js';

/** Where an object's entry is. */
export const PLACE = { nowhere: 0, image: 1, latent: 2 } as const;

/** Bits of `flags`. */
export const FLAG = {
  /** The slot is in the list of ghosts of a tier. */
  imageGhost: 1,
  latentGhost: 2,
  /** The slot's image entry also keeps the latent, and pays for it. */
  carriesLatent: 4,
} as const;
export const ANY_GHOST = FLAG.imageGhost | FLAG.latentGhost;

const FIRST_SIZE = 1024;

export class SlotTable {
  /** Links of whichever tier holds the slot. */
  readonly links = new SlotLinks();
  readonly imageGhostLinks = new SlotLinks();
  readonly latentGhostLinks = new SlotLinks();
  /** Bytes of the slot's entry in its tier, bookkeeping included. */
  weight = new Uint32Array(0);
  /** What the object weighed when it left the image tier; kept while it is a ghost. */
  imageWeight = new Uint32Array(0);
  /** Bytes of the object's latent; kept while an image carries it and while it is a ghost. */
  latentBytes = new Uint32Array(0);
  /** Latent hits since the slot entered the latent tier. */
  hits = new Uint16Array(0);
  /** One of `PLACE`. */
  place = new Uint8Array(0);
  /** The tier's own note: "in the tail" for LRU, "visited" for SIEVE. */
  mark = new Uint8Array(0);
  /** Bits of `FLAG`. */
  flags = new Uint8Array(0);

  get size(): number {
    return this.place.length;
  }

  /** Makes room for the slots below `slots`; doubling, so that the cost per slot stays the same. */
  reserve(slots: number): void {
    if (slots <= this.size) return;
    const size = Math.max(slots, 2 * this.size, FIRST_SIZE);
    this.links.resize(size);
    this.imageGhostLinks.resize(size);
    this.latentGhostLinks.resize(size);
    this.weight = grown(this.weight, new Uint32Array(size));
    this.imageWeight = grown(this.imageWeight, new Uint32Array(size));
    this.latentBytes = grown(this.latentBytes, new Uint32Array(size));
    this.hits = grown(this.hits, new Uint16Array(size));
    this.place = grown(this.place, new Uint8Array(size));
    this.mark = grown(this.mark, new Uint8Array(size));
    this.flags = grown(this.flags, new Uint8Array(size));
  }
}
