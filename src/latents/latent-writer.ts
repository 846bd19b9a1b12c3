/** Bytes arrive, are looked at and stored: a latent becomes a container with its facts, anything else stays byte for byte. */
import type { Readable } from 'node:stream';
import {
  S3Error,
  type ObjectInfo,
  type UserMetadata,
  type WriteOptions,
  type WriteResult,
} from '../../s3-api/index.js';
import type { ByteSemaphore } from '../decode/byte-semaphore.js';
import type { KeyEpochs } from '../routing/key-epochs.js';
import { detectFormat } from '../../codec/index.js';
import { imageInfo, splitReservedMetadata, type LatentFacts } from './facts.js';
import type { FactsIndex } from './facts-index.js';
import type { ImageRenderer } from './image-renderer.js';
import { imageEntry, latentEntry, type ImageCache, type ImageSource } from './image-source.js';
import type { Ingested, LatentModel } from './ingest.js';
import type { LatentIngest } from './ingest-pool.js';
import type { PngEncoding } from './png-encoding.js';
import type { Policies, Policy } from './policies.js';
import { placeMetadata, type PreparedLatent } from './prepared-latent.js';
import { storedMetadata } from './stored-form.js';
import { objectId } from './stored-image.js';
import type { BackingStore, BackingWriteOptions, UploadReading } from '../stores/backing-store.js';
import { bytesAsStream, collect, PeekedUpload } from '../stores/upload-reader.js';
import { parseHints, SNIFF_BYTES, uploadKind, type LatentHints } from './upload-kind.js';

export interface LatentWriterOptions {
  readonly backing: BackingStore;
  readonly cache: ImageCache;
  readonly cacheOnPut: 'image' | 'latent' | 'none';
  readonly epochs: KeyEpochs;
  readonly index: FactsIndex;
  readonly ingest: LatentIngest;
  readonly encoding: PngEncoding;
  readonly policies: Policies;
  readonly renderer: ImageRenderer;
  readonly source: ImageSource;
  /** Bounds the uploads that are held in memory together. */
  readonly memory: ByteSemaphore;
  readonly models: readonly LatentModel[];
  readonly defaultModel: string | undefined;
  /** Largest picture, in pixels. */
  readonly maxPixels: number;
  /** Largest upload that is looked at as a latent, in bytes. */
  readonly maxLatentBytes: number;
  /** Largest PNG that is encoded, in bytes. */
  readonly maxPngBytes: number;
  /** Told of each stored object, for metrics. */
  readonly onStored: (storage: 'latent' | 'verbatim') => void;
}

/** Bytes that a client brings, whether by PUT, by POST or as the parts of a finished upload. */
export interface IncomingObject {
  readonly bucket: string;
  readonly key: string;
  /** Every byte, once. */
  readonly body: Readable;
  /** `lbx-*` user metadata are hints; conditions are already those on the stored object. */
  readonly options: BackingWriteOptions;
  /** Stores the bytes as they are; `body` yields all of them, from the first, and is this function's to consume or destroy. */
  readonly storeVerbatim: (body: Readable, options: WriteOptions) => Promise<WriteResult>;
}

export class LatentWriter {
  constructor(private readonly options: LatentWriterOptions) {}

  /**
   * Looks at the first bytes of what arrives, decides what it is and stores it so: the one way into the store.
   *
   * @throws S3Error InvalidRequest or InvalidArgument for a broken latent or hint, EntityTooLarge for a latent over the
   *   limit, SlowDown when the decoder is overloaded; nothing is stored then
   */
  async write(incoming: IncomingObject, signal: AbortSignal): Promise<WriteResult> {
    const { bucket, key, body } = incoming;
    const { own, hints: hintMetadata } = splitReservedMetadata(incoming.options.userMetadata);
    const options = { ...incoming.options, userMetadata: own };
    const plain: IncomingObject = { ...incoming, options };
    const policy = this.options.policies.for(bucket, key);
    if (policy.put === 'verbatim') return this.#storeVerbatim(plain, body);

    const hints = parseHints(hintMetadata);
    const upload = await PeekedUpload.of(body, SNIFF_BYTES);
    const kind = uploadKind(upload.head, hints);
    if (policy.put === 'encode' && detectFormat(upload.head) === 'png')
      return this.#writePng(plain, upload.rest, policy, hints, signal);
    if (kind.kind === 'other') return this.#storeVerbatim(plain, upload.rest);
    const { maxLatentBytes } = this.options;
    if ((options.contentLength ?? 0) > maxLatentBytes) return this.#storeTooLarge(plain, upload.rest, hints);

    const release = await this.options.memory.acquire(options.contentLength ?? maxLatentBytes, signal);
    try {
      const bytes = await collect(upload.rest, maxLatentBytes);
      if (!(bytes instanceof Uint8Array)) return await this.#storeTooLarge(plain, bytes, hints);
      const { models, defaultModel, maxPixels } = this.options;
      const ingested = await this.options.ingest.ingest(
        {
          bytes,
          format: kind.format,
          hints,
          policyModel: policy.model,
          defaultModel,
          models,
          codec: policy.codec,
          maxPixels,
        },
        signal,
      );
      if (ingested.kind === 'latent') {
        const prepared = await this.#prepare(ingested, policy, options, signal);
        return await this.store(bucket, key, prepared, options, signal);
      }
      const whole = { ...plain, options: { ...options, contentLength: bytes.byteLength } };
      return await this.#storeVerbatim(whole, bytesAsStream(bytes));
    } finally {
      release();
    }
  }

  /** A PNG under the policy `encode`: a latent where that is near enough, else as it came, with the reason. */
  async #writePng(
    incoming: IncomingObject,
    body: Readable,
    policy: Policy,
    hints: LatentHints,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { bucket, key, options } = incoming;
    const { encoding, maxPngBytes, memory } = this.options;
    const tooLarge = { 'x-lbx-reason': 'too-large' } as const;
    if ((options.contentLength ?? 0) > maxPngBytes) return this.#storeVerbatim(incoming, body, tooLarge);
    const release = await memory.acquire(options.contentLength ?? maxPngBytes, signal);
    try {
      const bytes = await collect(body, maxPngBytes);
      if (!(bytes instanceof Uint8Array)) return await this.#storeVerbatim(incoming, bytes, tooLarge);
      const encoded = await encoding.encode(
        { png: bytes, policy, named: hints.model, userMetadata: options.userMetadata },
        signal,
      );
      if (encoded.kind === 'verbatim') {
        const whole = { ...incoming, options: { ...options, contentLength: bytes.byteLength } };
        return await this.#storeVerbatim(whole, bytesAsStream(bytes), encoded.headers);
      }
      const { prepared, userMetadata, headers } = encoded;
      const result = await this.store(bucket, key, prepared, { ...options, userMetadata }, signal);
      return { ...result, extraHeaders: { ...result.extraHeaders, ...headers } };
    } finally {
      release();
    }
  }

  #storeVerbatim(
    { bucket, key, options, storeVerbatim }: IncomingObject,
    body: Readable,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WriteResult> {
    return this.verbatim(bucket, key, () => storeVerbatim(body, options), headers);
  }

  /** Runs a write of bytes as they are, and says so. */
  async verbatim(
    bucket: string,
    key: string,
    write: () => Promise<WriteResult>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WriteResult> {
    try {
      const result = await write();
      this.options.onStored('verbatim');
      return { ...result, extraHeaders: { ...result.extraHeaders, 'x-lbx-storage': 'verbatim', ...headers } };
    } finally {
      this.options.source.written(bucket, key);
    }
  }

  /** A file of a tensor format that is too large for a latent is stored as it is, unless the client says it is one. */
  async #storeTooLarge(incoming: IncomingObject, body: Readable, hints: LatentHints): Promise<WriteResult> {
    if (hints.model === undefined && !hints.raw) return this.#storeVerbatim(incoming, body);
    body.destroy();
    throw new S3Error(
      'EntityTooLarge',
      `A latent may have at most ${this.options.maxLatentBytes} bytes here; raise limits.latentBytes.`,
    );
  }

  /** Whether an upload in parts may become something else than its parts joined, so that it must be read before Complete. */
  readingOf(bucket: string, key: string, metadata: UserMetadata): UploadReading | undefined {
    if (this.options.policies.for(bucket, key).put === 'verbatim') return undefined;
    const { hints } = splitReservedMetadata(metadata);
    return { when: parseHints(hints).raw ? 'always' : 'by-first-bytes', context: hints };
  }

  /** Whether `write` would look further at an upload that begins so. */
  isCandidate(bucket: string, key: string, head: Uint8Array): boolean {
    if (uploadKind(head, {}).kind !== 'other') return true;
    return this.options.policies.for(bucket, key).put === 'encode' && detectFormat(head) === 'png';
  }

  /** Moves metadata that does not fit into the container and renders the image once, where the policy says so. */
  async #prepare(
    ingested: Extract<Ingested, { kind: 'latent' }>,
    policy: Policy,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<PreparedLatent> {
    const placed = await placeMetadata(this.options.ingest, ingested.container, options.userMetadata, signal);
    const { container, metadataInContainer } = placed;
    const facts: LatentFacts = { ...ingested.facts, metadataInContainer };
    if (!policy.decodeOnPut) return { container, facts };
    const rendering = await this.options.renderer.render(container, facts, signal);
    return { container, facts: { ...facts, render: rendering.facts }, rendering };
  }

  /** Writes a prepared latent under a key and lets it into the cache. */
  async store(
    bucket: string,
    key: string,
    { container, facts, rendering }: PreparedLatent,
    options: BackingWriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { backing, epochs, index, source } = this.options;
    const clientMetadata = options.userMetadata;
    const id = objectId(bucket, key);
    const epoch = epochs.take(id);
    try {
      let result: WriteResult;
      let unchanged: boolean;
      try {
        // The client's checksum was that of the upload, which is not what is stored.
        const { checksum: _ofTheUpload, ...rest } = options;
        result = await backing.putObject(
          bucket,
          key,
          bytesAsStream(container),
          {
            ...rest,
            contentLength: container.byteLength,
            ...storedMetadata(facts, options, options.endsUpload),
          },
          signal,
        );
      } finally {
        unchanged = epoch.isCurrent();
        source.written(bucket, key);
      }
      this.options.onStored('latent');
      const { contentId, model, render } = facts;
      index.put({ bucket, key, etag: result.etag }, { kind: 'latent', contentId, model, ...(render && { render }) });
      if (unchanged && rendering)
        await this.#cacheStored(bucket, key, { container, facts, rendering }, result, clientMetadata, signal);
      return this.outcome(facts, result);
    } finally {
      epoch.release();
    }
  }

  /** What the client hears of a stored latent. */
  outcome(
    facts: LatentFacts,
    { versionId, extraHeaders }: Pick<WriteResult, 'versionId' | 'extraHeaders'>,
  ): WriteResult {
    return {
      etag: this.options.source.etag(facts),
      ...(versionId !== undefined && { versionId }),
      extraHeaders: { ...extraHeaders, 'x-lbx-storage': 'latent', 'x-lbx-model': facts.model },
    };
  }

  /** Only what the backing store itself says of the new object may be cached: its time of change is part of the head. */
  async #cacheStored(
    bucket: string,
    key: string,
    prepared: Required<PreparedLatent>,
    result: WriteResult,
    clientMetadata: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { backing, cache, cacheOnPut, epochs, source } = this.options;
    if (cacheOnPut === 'none') return;
    const id = objectId(bucket, key);
    const epoch = epochs.take(id);
    try {
      const stored: ObjectInfo = (await backing.headObject(bucket, key, {}, signal)).info;
      if (stored.etag !== result.etag || !epoch.isCurrent()) return;
      const { facts, rendering, container } = prepared;
      const complete = { ...facts, render: rendering.facts };
      const head = {
        info: imageInfo(stored, complete, source.etag(complete), clientMetadata),
        facts: complete,
        storedEtag: stored.etag,
      };
      if (cacheOnPut === 'image') cache.promote(id, imageEntry(head, rendering.png), latentEntry(head, container));
      else cache.insertLatent(id, latentEntry(head, container));
    } catch {
      // The object is stored: a cache that stays cold is no reason to tell the client otherwise.
    } finally {
      epoch.release();
    }
  }
}
