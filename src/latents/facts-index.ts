/**
 * What LIST must know of every stored object, remembered by bucket, key and stored ETag in an embedded database. The
 * facts of an object never change for a given stored ETag, so an entry is never wrong, only superseded; losing the
 * whole file costs HEAD requests and nothing else.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { open, type RootDatabase } from 'lmdb';
import type { RenderFacts } from './facts.js';

export type IndexedFacts =
  | { readonly kind: 'verbatim' }
  | {
      readonly kind: 'latent';
      readonly contentId: string;
      readonly model: string;
      /** Absent where the object has not been rendered yet. */
      readonly render?: RenderFacts;
    };

interface StoredEntry {
  readonly etag: string;
  readonly facts: IndexedFacts;
}

export interface StoredVersion {
  readonly bucket: string;
  readonly key: string;
  /** ETag of the stored bytes (the container's, for a latent). */
  readonly etag: string;
}

export class FactsIndex {
  private constructor(private readonly database: RootDatabase<StoredEntry, Buffer>) {}

  static async open(directory: string): Promise<FactsIndex> {
    await mkdir(directory, { recursive: true });
    return new FactsIndex(
      open<StoredEntry, Buffer>({
        path: `${directory}/facts.lmdb`,
        keyEncoding: 'binary',
        compression: false,
      }),
    );
  }

  get({ bucket, key, etag }: StoredVersion): IndexedFacts | undefined {
    const entry = this.database.get(indexKey(bucket, key));
    return entry?.etag === etag ? entry.facts : undefined;
  }

  /** Committed in a batch soon after; a crash may lose it, which is harmless. */
  put({ bucket, key, etag }: StoredVersion, facts: IndexedFacts): void {
    void this.database.put(indexKey(bucket, key), { etag, facts });
  }

  delete(bucket: string, key: string): void {
    void this.database.remove(indexKey(bucket, key));
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}

/** lmdb's keys end at 1,978 bytes and S3's bucket and key together at 1,088, but a digest keeps the tree small. */
function indexKey(bucket: string, key: string): Buffer {
  return createHash('sha256').update(bucket).update('\0').update(key).digest().subarray(0, 16);
}
