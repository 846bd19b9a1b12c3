/**
 * Where an image comes from: image tier, latent tier, backing store; and what becomes of it: one decode for all who ask
 * at once, promotion at the h-th latent hit, nothing stale in the cache.
 */
import type { ObjectContent, ObjectInfo, ObjectStore, UserMetadata } from '../../s3-api/index.js';
import { CodecError, PNG_ENCODER_PROFILE, readContainerHeader, type ContainerHeader } from '../../codec/index.js';
import type { CacheEntry, CacheTier, ObjectCache } from '../cache/dual-format-cache.js';
import type { StageTimings } from '../decode/index.js';
import type { KeyEpochs } from '../routing/key-epochs.js';
import { SingleFlight } from '../routing/single-flight.js';
import { discard } from './answers.js';
import { ownBytes } from './own-bytes.js';
import { readAll } from './read-all.js';
import {
  factsFromMetadata,
  imageEtag,
  imageInfo,
  splitReservedMetadata,
  type LatentFacts,
  type RenderFacts,
} from './facts.js';
import type { FactsIndex } from './facts-index.js';
import type { ImageRenderer } from './image-renderer.js';
import {
  objectId,
  type CachedImage,
  type CachedLatent,
  type ImageHead,
  type ReadOutcome,
  type ReadTimings,
} from './stored-image.js';
import { CLIENT_METADATA_ATTRIBUTE, parseClientMetadata } from './client-metadata.js';

export type ImageCache = ObjectCache<CachedImage, CachedLatent>;

export interface FoundImage {
  readonly kind: 'image';
  readonly head: ImageHead;
  readonly png: Uint8Array;
  readonly outcome: Exclude<ReadOutcome, 'verbatim'>;
  readonly timings: ReadTimings;
  /** Another request did the work. */
  readonly coalesced: boolean;
}

export interface FoundVerbatim {
  readonly kind: 'verbatim';
  /** The opened object, once: a later caller of a shared flight opens its own. */
  take(): ObjectContent | undefined;
}

export interface ImageSourceOptions {
  readonly backing: ObjectStore;
  readonly cache: ImageCache;
  readonly epochs: KeyEpochs;
  readonly index: FactsIndex;
  readonly renderer: ImageRenderer;
  /** Decoder class of a model that is installed now; undefined where it is not. */
  readonly decoderClass: (model: string) => string | undefined;
  /** Largest container that is read into memory, in bytes. */
  readonly maxContainerBytes: number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

/** First bytes of a container that are read for its header when the metadata did not fit S3's limit. */
const HEADER_READ_BYTES = 64 << 10;

export class ImageSource {
  readonly #flights = new SingleFlight<FoundImage | FoundVerbatim>();

  constructor(private readonly options: ImageSourceOptions) {}

  /** Decodes and fetches under way. */
  get inFlight(): number {
    return this.#flights.size;
  }

  /** To be called after every write to a key: what was cached or is being fetched of it is not its content any more. */
  written(bucket: string, key: string): void {
    const id = objectId(bucket, key);
    this.options.epochs.written(id);
    this.#flights.forget(id);
    this.options.cache.delete(id);
  }

  /** The client's view of a cached object, without any request to the backing store. */
  cachedHead(bucket: string, key: string): ImageHead | undefined {
    return this.options.cache.peek(objectId(bucket, key))?.head;
  }

  /**
   * The image under a key, or the verbatim object that lies there.
   *
   * @param accept looked at as soon as the head is known from the cache, so that a conditional request costs no decode;
   *   it throws what the client shall hear
   */
  async find(
    bucket: string,
    key: string,
    accept: (head: ImageHead) => void,
    signal: AbortSignal,
  ): Promise<FoundImage | FoundVerbatim> {
    const { cache, clock } = this.options;
    const id = objectId(bucket, key);
    const start = clock();
    const found = cache.lookup(id);
    const lookup = clock() - start;
    if (found.tier === 'image') {
      return {
        kind: 'image',
        head: found.payload.head,
        png: found.payload.png,
        outcome: 'image-hit',
        timings: { lookup },
        coalesced: false,
      };
    }
    if (found.tier === 'latent') {
      accept(found.payload.head);
      const work = (shared: AbortSignal) => this.#decodeCached(id, found.payload, found.promote, lookup, shared);
      return this.#join(id, work, signal);
    }
    return this.#join(id, (shared) => this.#fetchAndDecode(bucket, key, found.admitTo, lookup, shared), signal);
  }

  /** The stored container of an image and the client's view of it; undefined where the object is verbatim. */
  async container(bucket: string, key: string, signal: AbortSignal): Promise<CachedLatent | undefined> {
    const { backing, cache, maxContainerBytes } = this.options;
    const cached = cache.peek(objectId(bucket, key));
    if (cached?.format === 'latent') return cached;
    const content = await backing.getObject(bucket, key, {}, signal);
    if (!factsFromMetadata(content.info)) {
      discard(content);
      return undefined;
    }
    const container = await readAll(content, maxContainerBytes);
    const head = await this.head(bucket, content.info, signal);
    return head && { format: 'latent', head, container };
  }

  async #join(id: string, work: (signal: AbortSignal) => Promise<FoundImage | FoundVerbatim>, signal: AbortSignal) {
    const { value, leader } = await this.#flights.run(id, work, signal);
    return leader || value.kind === 'verbatim' ? value : { ...value, coalesced: true };
  }

  async #decodeCached(
    id: string,
    latent: CachedLatent,
    promote: boolean,
    lookup: number,
    signal: AbortSignal,
  ): Promise<FoundImage> {
    const { cache, epochs, renderer } = this.options;
    const { head, container } = latent;
    const epoch = epochs.take(id);
    try {
      const { png, timings } = await renderer.render(container, head.facts, signal);
      cache.observeDecode(decodeMilliseconds(timings));
      if (promote && epoch.isCurrent()) cache.promote(id, imageEntry(head, png), latentEntry(head, container));
      return { kind: 'image', head, png, outcome: 'latent-hit', timings: { lookup, ...timings }, coalesced: false };
    } finally {
      epoch.release();
    }
  }

  async #fetchAndDecode(
    bucket: string,
    key: string,
    admitTo: CacheTier,
    lookup: number,
    signal: AbortSignal,
  ): Promise<FoundImage | FoundVerbatim> {
    const { backing, cache, clock, epochs, maxContainerBytes } = this.options;
    const id = objectId(bucket, key);
    const epoch = epochs.take(id);
    try {
      const start = clock();
      const content = await backing.getObject(bucket, key, {}, signal);
      if (signal.aborted) {
        // Everybody left while the store opened the object: nobody will read it.
        discard(content);
        signal.throwIfAborted();
      }
      if (!factsFromMetadata(content.info)) return takeOnce(content);
      const container = await readAll(content, maxContainerBytes);
      const fetch = clock() - start;
      cache.observeFetch(fetch);
      const { head, png, timings } = await this.decode(bucket, content.info, container, signal);
      cache.observeDecode(decodeMilliseconds(timings));
      if (epoch.isCurrent()) {
        if (admitTo === 'image') cache.promote(id, imageEntry(head, png), latentEntry(head, container));
        else cache.insertLatent(id, latentEntry(head, container));
      }
      return { kind: 'image', head, png, outcome: 'miss', timings: { lookup, fetch, ...timings }, coalesced: false };
    } finally {
      epoch.release();
    }
  }

  /** As `decode`, of an object that the backing store has just opened. */
  async decodeContent(bucket: string, content: ObjectContent, signal: AbortSignal) {
    return this.decode(bucket, content.info, await readAll(content, this.options.maxContainerBytes), signal);
  }

  /** Renders a stored container and gives the client's view of it; the render is recorded where none was. */
  async decode(bucket: string, stored: ObjectInfo, container: Uint8Array, signal: AbortSignal) {
    const { index, renderer } = this.options;
    const facts = this.#factsOf(bucket, stored);
    const rendering = await renderer.render(container, facts, signal);
    const render = facts.render ?? rendering.facts;
    if (!facts.render) {
      index.put(
        { bucket, key: stored.key, etag: stored.etag },
        { kind: 'latent', contentId: facts.contentId, model: facts.model, render },
      );
    }
    const clientMetadata = facts.metadataInContainer
      ? metadataIn(readContainerHeader(container))
      : splitReservedMetadata(stored.userMetadata).own;
    return {
      head: this.#headOf(stored, facts, render, clientMetadata),
      png: rendering.png,
      timings: rendering.timings,
    };
  }

  /**
   * The client's view of a stored object, from its metadata alone wherever possible.
   *
   * @returns undefined where the object is verbatim
   */
  async head(bucket: string, stored: ObjectInfo, signal: AbortSignal): Promise<ImageHead | undefined> {
    const { backing, maxContainerBytes } = this.options;
    if (!factsFromMetadata(stored)) return undefined;
    const facts = this.#factsOf(bucket, stored);
    if (!facts.render) {
      const content = await backing.getObject(bucket, stored.key, versionOf(stored), signal);
      return (await this.decode(bucket, content.info, await readAll(content, maxContainerBytes), signal)).head;
    }
    const clientMetadata = facts.metadataInContainer
      ? await this.#fetchMetadata(bucket, stored, signal)
      : splitReservedMetadata(stored.userMetadata).own;
    return this.#headOf(stored, facts, facts.render, clientMetadata);
  }

  /** ETag of the PNG under the decoder that would render it now, or under the recorded one where its model is not installed. */
  etag({ contentId, model, render }: Pick<LatentFacts, 'contentId' | 'model' | 'render'>): string {
    const installed = this.options.decoderClass(model);
    if (installed !== undefined) return imageEtag({ contentId, model }, installed, PNG_ENCODER_PROFILE);
    return imageEtag({ contentId, model }, render?.decoderClass ?? '', render?.pngProfile ?? '');
  }

  #factsOf(bucket: string, stored: ObjectInfo): LatentFacts {
    const facts = factsFromMetadata(stored);
    if (!facts) throw new Error(`the stored object ${bucket}/${stored.key} is not latent-backed`);
    if (facts.render) return facts;
    const indexed = this.options.index.get({ bucket, key: stored.key, etag: stored.etag });
    return indexed?.kind === 'latent' && indexed.render ? { ...facts, render: indexed.render } : facts;
  }

  #headOf(stored: ObjectInfo, facts: LatentFacts, render: RenderFacts, clientMetadata: UserMetadata): ImageHead {
    const complete = { ...facts, render };
    return {
      info: imageInfo(stored, complete, this.etag(complete), clientMetadata),
      facts: complete,
      storedEtag: stored.etag,
    };
  }

  async #fetchMetadata(bucket: string, stored: ObjectInfo, signal: AbortSignal): Promise<UserMetadata> {
    const { backing, maxContainerBytes } = this.options;
    const prefix = { ...versionOf(stored), range: { kind: 'from', first: 0, last: HEADER_READ_BYTES - 1 } } as const;
    const start = await readAll(await backing.getObject(bucket, stored.key, prefix, signal), maxContainerBytes);
    const header = tryReadHeader(start);
    if (header || start.byteLength >= stored.size) return metadataIn(header ?? readContainerHeader(start));
    return metadataIn(
      readContainerHeader(
        await readAll(await backing.getObject(bucket, stored.key, versionOf(stored), signal), maxContainerBytes),
      ),
    );
  }
}

/** What the cache keeps of a rendered image. */
export function imageEntry(head: ImageHead, png: Uint8Array): CacheEntry<CachedImage> {
  const own = ownBytes(png);
  return { payload: { format: 'image', head, png: own }, bytes: own.byteLength };
}

export function latentEntry(head: ImageHead, container: Uint8Array): CacheEntry<CachedLatent> {
  const own = ownBytes(container);
  return { payload: { format: 'latent', head, container: own }, bytes: own.byteLength };
}

/** All that a latent hit waits for, queues included: an overloaded device makes ready images worth more. */
function decodeMilliseconds({ decompress, queue, decode, png }: StageTimings): number {
  return decompress + queue + decode + png;
}

function versionOf(stored: ObjectInfo) {
  return stored.versionId === undefined ? {} : { versionId: stored.versionId };
}

function metadataIn(header: ContainerHeader): UserMetadata {
  return parseClientMetadata(header.attributes[CLIENT_METADATA_ATTRIBUTE]);
}

/** Undefined where the header is longer than the bytes at hand. */
function tryReadHeader(start: Uint8Array): ContainerHeader | undefined {
  try {
    return readContainerHeader(start);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function takeOnce(content: ObjectContent): FoundVerbatim {
  let left: ObjectContent | undefined = content;
  return {
    kind: 'verbatim',
    take: () => {
      const taken = left;
      left = undefined;
      return taken;
    },
  };
}
