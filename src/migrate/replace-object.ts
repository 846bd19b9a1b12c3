/**
 * Puts a container in a picture's place so that a crash at any moment loses nothing: intent into the journal, original
 * aside, conditional write, read back, original released, journal. `settle` goes on from wherever a run was killed.
 */
import { createHash } from 'node:crypto';
import { S3Error, type ObjectInfo, type ObjectStore, type TagSet } from '../../s3-api/index.js';
import { factsFromMetadata, type RenderedFacts } from '../latents/facts.js';
import { readAll } from '../latents/read-all.js';
import { storedMetadata } from '../latents/stored-form.js';
import { bytesAsStream } from '../stores/upload-reader.js';
import type { Journal, ReplacingEntry } from './journal.js';
import { mapKey, type Location } from './location.js';
import type { ConvertedOutcome, FailedOutcome } from './outcome.js';
import type { Originals } from './originals.js';

export interface ObjectReplacerOptions {
  readonly store: ObjectStore;
  readonly journal: Journal;
  readonly from: Location;
  readonly to: Location;
  /** Of the bucket that is written; not asked where source and target differ. */
  readonly originals: Originals;
  readonly settings: string;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

export interface Replacement {
  readonly source: ObjectInfo;
  readonly tags: TagSet | undefined;
  readonly container: Uint8Array;
  readonly facts: RenderedFacts;
  readonly userMetadata: ObjectInfo['userMetadata'];
  readonly outcome: ConvertedOutcome;
}

/** The object is another one than was read: it must be looked at anew. */
export type ReplacementResult = ConvertedOutcome | FailedOutcome | 'changed';

export class ObjectReplacer {
  readonly inPlace: boolean;

  constructor(private readonly options: ObjectReplacerOptions) {
    this.inPlace = options.from.bucket === options.to.bucket && options.from.prefix === options.to.prefix;
  }

  /** @throws what the store throws where the object is still as it was */
  async replace(
    { source, tags, container, facts, userMetadata, outcome }: Replacement,
    signal: AbortSignal,
  ): Promise<ReplacementResult> {
    const { store, journal, from, to, originals, clock } = this.options;
    const originalKey = this.inPlace ? originals.keyFor(source.key) : undefined;
    const entry: ReplacingEntry = {
      state: 'replacing',
      key: source.key,
      sourceEtag: source.etag,
      containerSha256: sha256(container),
      contentId: facts.contentId,
      ...(originalKey !== undefined && { originalKey }),
      outcome,
    };
    await journal.put(entry);
    const start = clock();
    try {
      if (originalKey !== undefined) await originals.keep(source.key, source.etag, originalKey, signal);
      await store.putObject(
        to.bucket,
        mapKey(source.key, from, to),
        bytesAsStream(container),
        {
          contentLength: container.byteLength,
          ...storedMetadata(facts, { systemMetadata: source.systemMetadata, userMetadata }),
          ...(tags && { tags }),
          ...(source.storageClass !== undefined && { storageClass: source.storageClass }),
          conditions: this.inPlace ? { ifMatch: [source.etag] } : { ifNoneMatch: ['*'] },
        },
        signal,
      );
    } catch (error) {
      // An answer may be lost while the work was done: only the store itself can tell.
      const result = await this.settle(entry, signal);
      if (!this.inPlace && result === 'changed') return { kind: 'failed', message: occupied(to, source.key, from) };
      if (result === 'untouched' && !isPreconditionFailed(error)) throw error;
      return result === 'untouched' ? 'changed' : result;
    }
    const timings = { ...outcome.timings, write: clock() - start };
    const result = await this.settle({ ...entry, outcome: { ...outcome, timings } }, signal);
    return result === 'untouched' ? 'changed' : result;
  }

  /**
   * Ends what `replace` began, now or in a run that was killed: reads back what lies there and either proves it and
   * releases the original, or puts the original back, or leaves alone what somebody else wrote.
   *
   * @returns `untouched`: the source is as it was and has yet to be migrated
   */
  async settle(entry: ReplacingEntry, signal: AbortSignal): Promise<ReplacementResult | 'untouched'> {
    const { journal, originals, clock, settings } = this.options;
    const start = clock();
    const found = await this.#readBack(entry, signal);
    if (found.kind === 'ours') {
      await originals.release(entry.originalKey, signal);
      const outcome = { ...entry.outcome, timings: { ...entry.outcome.timings, verify: clock() - start } };
      const listedEtag = this.inPlace ? found.etag : entry.sourceEtag;
      await journal.put({ state: 'done', key: entry.key, listedEtag, settings, outcome });
      return outcome;
    }
    if (found.kind === 'damaged' && entry.originalKey !== undefined)
      await originals.putBack(entry.key, found.etag, entry.originalKey, signal);
    await originals.release(entry.originalKey, signal);
    await journal.delete(entry.key);
    if (found.kind === 'damaged') return { kind: 'failed', message: this.#damage(entry) };
    return found.kind;
  }

  async #readBack(entry: ReplacingEntry, signal: AbortSignal): Promise<ReadBack> {
    const { store, from, to } = this.options;
    const key = mapKey(entry.key, from, to);
    try {
      const { info } = await store.headObject(to.bucket, key, {}, signal);
      if (this.inPlace && info.etag === entry.sourceEtag) return { kind: 'untouched' };
      if (factsFromMetadata(info)?.contentId !== entry.contentId) return { kind: 'changed' };
      const content = await store.getObject(to.bucket, key, { conditions: { ifMatch: [info.etag] } }, signal);
      const bytes = await readAll(content, Number.MAX_SAFE_INTEGER);
      return { kind: sha256(bytes) === entry.containerSha256 ? 'ours' : 'damaged', etag: info.etag };
    } catch (error) {
      if (isPreconditionFailed(error)) return { kind: 'changed' };
      if (error instanceof S3Error && error.code === 'NoSuchKey')
        return { kind: this.inPlace ? 'changed' : 'untouched' };
      throw error;
    }
  }

  #damage({ key, originalKey }: ReplacingEntry): string {
    const rest = originalKey === undefined ? 'the version before it is the original' : 'the original is in place again';
    return `the store gave back other bytes than were written to ${key}; ${rest}`;
  }
}

type ReadBack =
  | { readonly kind: 'ours' | 'damaged'; readonly etag: string }
  /** The source is as it was; or, somebody else wrote or deleted the object. */
  | { readonly kind: 'untouched' | 'changed' };

/** What lies at the target and is not of this migration is not overwritten. */
export function occupied(to: Location, key: string, from: Location): string {
  return `${to.bucket}/${mapKey(key, from, to)} is there already and is another object; it was left alone`;
}

function isPreconditionFailed(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'PreconditionFailed';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
