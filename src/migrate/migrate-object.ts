/** One listed object: looked at, converted where it may be, and settled in the journal. */
import { S3Error, type ListedObject, type ObjectInfo, type ObjectStore } from '../../s3-api/index.js';
import type { ExaminedObject, ObjectExaminer } from './examine-object.js';
import type { DoneEntry, Journal } from './journal.js';
import { mapKey, type Location } from './location.js';
import type { ConvertedObject } from './object-converter.js';
import type { ObjectOutcome } from './outcome.js';
import { occupied, type ObjectReplacer } from './replace-object.js';

export interface ObjectMigratorOptions {
  readonly store: ObjectStore;
  readonly journal: Journal;
  readonly examiner: ObjectExaminer;
  readonly replacer: ObjectReplacer;
  readonly from: Location;
  readonly to: Location;
  /** Names what decides over verbatim: with other settings, what stayed as it was is looked at again. */
  readonly settings: string;
  /** Told of each conversion while both pictures are at hand. */
  readonly onConverted: (key: string, original: Uint8Array, converted: ConvertedObject) => Promise<void>;
}

/** How often an object that changes under our hands is looked at anew before it is left to its writers. */
const MAX_TRIES = 3;

export class ObjectMigrator {
  constructor(private readonly options: ObjectMigratorOptions) {}

  /** What an earlier run made of what the listing shows; undefined where it is to be looked at. */
  async settledBefore({ key, etag }: Pick<ListedObject, 'key' | 'etag'>): Promise<ObjectOutcome | undefined> {
    const entry = await this.options.journal.get(key);
    if (entry?.state !== 'done' || entry.listedEtag !== etag) return undefined;
    const { kind } = entry.outcome;
    const settled =
      kind === 'converted' || kind === 'already-latent' || (kind === 'verbatim' && this.#sameSettings(entry));
    return settled ? entry.outcome : undefined;
  }

  /** @throws what the store or the converter throws; the object is as it was, or its journal entry says what to settle */
  async migrate({ key }: Pick<ListedObject, 'key'>, signal: AbortSignal): Promise<ObjectOutcome> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const examined = await this.options.examiner.examine(key, signal);
      if (examined.kind === 'gone') break;
      const outcome =
        examined.kind === 'stays'
          ? await this.#keep(examined.info, examined.outcome, signal)
          : await this.#replace(examined, signal);
      if (outcome !== 'changed') return outcome;
    }
    return { kind: 'changed' };
  }

  async #replace(
    { info, original, converted, outcome }: Extract<ExaminedObject, { kind: 'converts' }>,
    signal: AbortSignal,
  ): Promise<ObjectOutcome | 'changed'> {
    const { store, replacer, from, onConverted } = this.options;
    const tags = info.tagCount ? await store.getObjectTags(from.bucket, info.key, signal) : undefined;
    const { container, facts, userMetadata } = converted;
    const result = await replacer.replace({ source: info, tags, container, facts, userMetadata, outcome }, signal);
    if (result !== 'changed' && result.kind === 'converted') await onConverted(info.key, original, converted);
    return result;
  }

  /** The object stays as it is, and is copied as it is where the target is another place. */
  async #keep(info: ObjectInfo, outcome: ObjectOutcome, signal: AbortSignal): Promise<ObjectOutcome> {
    const { store, journal, replacer, from, to, settings } = this.options;
    const entry = await journal.get(info.key);
    // A listing from before the conversion leads here again: what was done is not forgotten.
    if (entry?.state === 'done' && entry.outcome.kind === 'converted' && entry.listedEtag === info.etag)
      return entry.outcome;
    if (!replacer.inPlace) {
      const source = { bucket: from.bucket, key: info.key, conditions: { ifMatch: [info.etag] } };
      const target = mapKey(info.key, from, to);
      try {
        await store.copyObject(source, to.bucket, target, { conditions: { ifNoneMatch: ['*'] } }, signal);
      } catch (error) {
        if (!(error instanceof S3Error) || error.code !== 'PreconditionFailed') throw error;
        const there = (await store.headObject(to.bucket, target, {}, signal)).info;
        if (there.etag !== info.etag || there.size !== info.size)
          return { kind: 'failed', message: occupied(to, info.key, from) };
      }
    }
    await journal.put({ state: 'done', key: info.key, listedEtag: info.etag, settings, outcome });
    return outcome;
  }

  #sameSettings(entry: DoneEntry): boolean {
    return entry.settings === this.options.settings;
  }
}
