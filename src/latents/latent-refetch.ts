/**
 * Brings latents back into the cache's latent tier whose images were evicted, in the background: few at a time, never
 * in the way of a request, and never over a newer write.
 */
import type { ObjectStore } from '../../s3-api/index.js';
import type { KeyEpochs } from '../routing/key-epochs.js';
import { discard } from './answers.js';
import { latentEntry, type ImageCache } from './image-source.js';
import { readAll } from './read-all.js';
import { splitObjectId, type CachedImage } from './stored-image.js';

export interface LatentRefetchOptions {
  readonly backing: ObjectStore;
  readonly cache: ImageCache;
  readonly epochs: KeyEpochs;
  /** Largest container that is read into memory, in bytes. */
  readonly maxContainerBytes: number;
}

export interface RefetchCounts {
  readonly fetched: number;
  /** Not even tried, since too many were waiting. */
  readonly dropped: number;
  /** The store failed, or the object had changed. */
  readonly failed: number;
}

/** Fetches under way, and those that may wait: one more is dropped, for it costs only a later miss. */
const MAX_RUNNING = 4;
const MAX_WAITING = 64;

interface Wanted {
  readonly id: string;
  readonly image: CachedImage;
}

export class LatentRefetch {
  readonly #waiting: Wanted[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  #fetched = 0;
  #dropped = 0;
  #failed = 0;

  constructor(private readonly options: LatentRefetchOptions) {
    options.cache.onLatentWanted((id, image) => this.#want({ id, image }));
  }

  get counts(): RefetchCounts {
    return { fetched: this.#fetched, dropped: this.#dropped, failed: this.#failed };
  }

  /** Nothing new begins, and what is under way ends. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    this.#closed.abort();
    await Promise.all(this.#running);
  }

  #want(wanted: Wanted): void {
    if (this.#closed.signal.aborted) return;
    if (this.#waiting.length >= MAX_WAITING) this.#dropped += 1;
    else this.#waiting.push(wanted);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#running.size < MAX_RUNNING) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const running = this.#fetch(next).finally(() => {
        this.#running.delete(running);
        this.#startNext();
      });
      this.#running.add(running);
    }
  }

  async #fetch({ id, image: { head } }: Wanted): Promise<void> {
    const { backing, cache, epochs, maxContainerBytes } = this.options;
    if (cache.peek(id) !== undefined) return;
    const { bucket, key } = splitObjectId(id);
    const epoch = epochs.take(id);
    try {
      const content = await backing.getObject(bucket, key, {}, this.#closed.signal);
      if (content.info.etag !== head.storedEtag) {
        discard(content);
        this.#failed += 1;
        return;
      }
      const container = await readAll(content, maxContainerBytes);
      // A request may have brought the object back meanwhile, or a write may have replaced it.
      if (!epoch.isCurrent() || cache.peek(id) !== undefined) return;
      cache.insertLatent(id, latentEntry(head, container));
      this.#fetched += 1;
    } catch {
      // The next request fetches the object itself, and says what is wrong.
      this.#failed += 1;
    } finally {
      epoch.release();
    }
  }
}
