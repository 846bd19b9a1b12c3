/** One listed object: looked at, converted where it may be, and settled in the journal. */
import type { Readable } from 'node:stream';
import {
  S3Error,
  type ListedObject,
  type ObjectContent,
  type ObjectInfo,
  type ObjectStore,
} from '../../s3-api/index.js';
import { detectFormat } from '../../codec/index.js';
import { factsFromMetadata, splitReservedMetadata } from '../latents/facts.js';
import { collect, PeekedUpload } from '../stores/upload-reader.js';
import { SNIFF_BYTES } from '../latents/upload-kind.js';
import type { DoneEntry, Journal } from './journal.js';
import { mapKey, type Location } from './location.js';
import type { ConvertedObject, ObjectConverter } from './object-converter.js';
import type { ConvertedOutcome, ObjectOutcome } from './outcome.js';
import { occupied, type ObjectReplacer } from './replace-object.js';
import type { SidecarFinder } from './sidecars.js';

export interface ObjectMigratorOptions {
  readonly store: ObjectStore;
  readonly journal: Journal;
  readonly converter: ObjectConverter;
  readonly replacer: ObjectReplacer;
  readonly sidecars: SidecarFinder;
  readonly from: Location;
  readonly to: Location;
  readonly settings: string;
  /** Larger objects stay as they are, unread. */
  readonly maxPictureBytes: number;
  /** Told of each conversion while both pictures are at hand. */
  readonly onConverted: (key: string, original: Uint8Array, converted: ConvertedObject) => Promise<void>;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

/** How often an object that changes under our hands is looked at anew before it is left to its writers. */
const MAX_TRIES = 3;

export class ObjectMigrator {
  constructor(private readonly options: ObjectMigratorOptions) {}

  /** Whether an earlier run settled what the listing shows. */
  isSettled({ key, etag }: ListedObject): boolean {
    const entry = this.options.journal.get(key);
    if (entry?.state !== 'done' || entry.listedEtag !== etag) return false;
    const { kind } = entry.outcome;
    return kind === 'converted' || kind === 'already-latent' || (kind === 'verbatim' && this.#sameSettings(entry));
  }

  /** @throws what the store or the converter throws; the object is as it was then, or its journal entry says what to settle */
  async migrate(listed: ListedObject, signal: AbortSignal): Promise<ObjectOutcome> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const outcome = await this.#attempt(listed, signal);
      if (outcome !== 'changed') return outcome;
    }
    return { kind: 'changed' };
  }

  async #attempt(listed: ListedObject, signal: AbortSignal): Promise<ObjectOutcome | 'changed'> {
    const { store, from, maxPictureBytes, clock } = this.options;
    const start = clock();
    let content: ObjectContent;
    try {
      content = await store.getObject(from.bucket, listed.key, {}, signal);
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchKey') return { kind: 'changed' };
      throw error;
    }
    const { info } = content;
    if (factsFromMetadata(info.userMetadata)) {
      discard(content);
      return this.#keep(info, { kind: 'already-latent', bytes: info.size }, signal);
    }
    const png = info.size > maxPictureBytes ? 'too-large' : await readPicture(content, maxPictureBytes);
    const fetch = clock() - start;
    if (!(png instanceof Uint8Array)) {
      if (png === 'too-large') discard(content);
      const detail =
        png === 'too-large' ? `It has more than ${maxPictureBytes} bytes (limits.latentBytes).` : 'It is not a PNG.';
      const timings = { fetch, convert: 0, write: 0, verify: 0 };
      return this.#keep(info, { kind: 'verbatim', reason: png, detail, bytes: info.size, timings }, signal);
    }
    return this.#convert(info, png, fetch, signal);
  }

  async #convert(info: ObjectInfo, png: Uint8Array, fetch: number, signal: AbortSignal) {
    const { store, converter, replacer, sidecars, from, clock } = this.options;
    const start = clock();
    const sidecar = await sidecars.find(info.key, signal);
    const { own } = splitReservedMetadata(info.userMetadata);
    const converted = await converter.convert({ png, userMetadata: own, ...(sidecar && { sidecar }) }, signal);
    const convert = clock() - start;
    if (converted.kind === 'verbatim') {
      const { reason, detail, psnr } = converted;
      const timings = { fetch, convert, write: 0, verify: 0 };
      const kept = { reason, detail, ...(psnr !== undefined && { psnr }), bytes: info.size, timings };
      return this.#keep(info, { kind: 'verbatim', ...kept }, signal);
    }
    const tags = info.tagCount ? await store.getObjectTags(from.bucket, info.key, signal) : undefined;
    const outcome: ConvertedOutcome = {
      kind: 'converted',
      model: converted.facts.model,
      bytesBefore: info.size,
      bytesAfter: converted.container.byteLength,
      psnr: Number.isFinite(converted.psnr) ? converted.psnr : null,
      ssim: converted.ssim,
      ...(converted.usedSidecar && sidecar && { sidecar: sidecar.key }),
      timings: { fetch, convert, write: 0, verify: 0 },
    };
    const { container, facts, userMetadata } = converted;
    const result = await replacer.replace({ source: info, tags, container, facts, userMetadata, outcome }, signal);
    if (result !== 'changed' && result.kind === 'converted') await this.options.onConverted(info.key, png, converted);
    return result;
  }

  /** The object stays as it is, and is copied as it is where the target is another place. */
  async #keep(info: ObjectInfo, outcome: ObjectOutcome, signal: AbortSignal): Promise<ObjectOutcome | 'changed'> {
    const { store, journal, replacer, from, to, settings } = this.options;
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

async function readPicture({ body }: ObjectContent, limit: number): Promise<Uint8Array | 'not-a-png' | 'too-large'> {
  if (body instanceof Uint8Array) return isPng(body) ? body : 'not-a-png';
  const { head, rest } = await PeekedUpload.of(body, SNIFF_BYTES);
  if (!isPng(head)) return destroyed(rest, 'not-a-png');
  const bytes = await collect(rest, limit);
  return bytes instanceof Uint8Array ? bytes : destroyed(bytes, 'too-large');
}

function isPng(head: Uint8Array): boolean {
  return detectFormat(head.subarray(0, SNIFF_BYTES)) === 'png';
}

function destroyed<T>(stream: Readable, result: T): T {
  stream.destroy();
  return result;
}

function discard({ body }: ObjectContent): void {
  if (!(body instanceof Uint8Array)) body.destroy();
}
