/** Keys last seen to hold verbatim objects: a guess that saves a request, checked against each answer. */
import { LRUCache } from 'lru-cache';

const MAX_KEYS = 10_000;

export class RecentVerbatim {
  readonly #keys = new LRUCache<string, true>({ max: MAX_KEYS });

  has(id: string): boolean {
    return this.#keys.has(id);
  }
  add(id: string): void {
    this.#keys.set(id, true);
  }
  delete(id: string): void {
    this.#keys.delete(id);
  }
}
