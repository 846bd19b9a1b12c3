/**
 * What a migration has done and is about to do, object by object, in an embedded database: after a crash the next run
 * reads here which objects were being replaced, and nothing is converted twice or forgotten.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { formatLocation, type Location } from './location.js';
import type { ConvertedOutcome, ObjectOutcome } from './outcome.js';

/** The object is about to be replaced: written before anything changes in the store, so that a crash leaves a trace. */
export interface ReplacingEntry {
  readonly state: 'replacing';
  readonly key: string;
  /** ETag of the object that is replaced. */
  readonly sourceEtag: string;
  /** Of the container that takes its place. */
  readonly containerSha256: string;
  /** Content id of its facts. */
  readonly contentId: string;
  /** Where the original is copied to; absent where the bucket's own versions keep it, or the target is another bucket. */
  readonly originalKey?: string;
  /** What will have happened once the container is proven to be there. */
  readonly outcome: ConvertedOutcome;
}

/** The object is settled, until somebody writes it anew. */
export interface DoneEntry {
  readonly state: 'done';
  readonly key: string;
  /** ETag under which a listing shows the object now. */
  readonly listedEtag: string;
  /** Names the settings that led here: with other ones, an object that stayed as it was is looked at again. */
  readonly settings: string;
  readonly outcome: ObjectOutcome;
}

export type JournalEntry = ReplacingEntry | DoneEntry;

export class Journal {
  private constructor(
    readonly directory: string,
    private readonly entries: RootDatabase<JournalEntry, Buffer>,
  ) {}

  /** @param state the gateway's state folder; each pair of locations has a journal of its own in it */
  static async open(state: string, store: string, from: Location, to: Location): Promise<Journal> {
    const name = createHash('sha256')
      .update([store, formatLocation(from), formatLocation(to)].join('\n'))
      .digest('hex');
    const directory = join(state, 'migrations', name.slice(0, 16));
    await mkdir(directory, { recursive: true });
    return new Journal(directory, open({ path: join(directory, 'journal.lmdb'), keyEncoding: 'binary' }));
  }

  get(key: string): JournalEntry | undefined {
    return this.entries.get(entryKey(key));
  }

  /** Resolves when the entry survives a crash of the process. */
  async put(entry: JournalEntry): Promise<void> {
    await this.entries.put(entryKey(entry.key), entry);
  }

  async delete(key: string): Promise<void> {
    await this.entries.remove(entryKey(key));
  }

  *all(): Generator<JournalEntry, void, undefined> {
    for (const { value } of this.entries.getRange()) yield value;
  }

  async close(): Promise<void> {
    await this.entries.close();
  }
}

/** lmdb's keys end at 1,978 bytes; a digest keeps the tree small, and the entry holds the key itself. */
function entryKey(key: string): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, 16);
}
