/**
 * What a migration has done and is about to do, object by object: after a crash the next run reads here which objects
 * were being replaced, and nothing is converted twice or forgotten.
 */
import { createHash } from 'node:crypto';
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

export interface Journal {
  get(key: string): Promise<JournalEntry | undefined>;
  /** Resolves when the entry survives a crash of the process. */
  put(entry: JournalEntry): Promise<void>;
  delete(key: string): Promise<void>;
  all(): AsyncIterable<JournalEntry>;
  close(): Promise<void>;
}

/** Names a migration: the same store and locations are the same job, however often it is started. */
export function jobName(store: string, from: Location, to: Location): string {
  const parts = [store, formatLocation(from), formatLocation(to)].join('\n');
  return createHash('sha256').update(parts).digest('hex').slice(0, 16);
}

/** Journals' own keys: short, of one length, and without characters that a database reserves. */
export function entryDigest(key: string): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, 16);
}
