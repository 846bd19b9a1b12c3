/**
 * The ObjectStore that clients meet: latents kept as containers in a backing store and served as PNGs, everything else
 * passed through. Clients' ETags of latent-backed objects are those of the PNG; conditions are translated to the stored
 * ETag before the backing store evaluates them, so that they stay atomic.
 */
import type { Readable } from 'node:stream';
import {
  errors,
  evaluateCopySourceConditions,
  resolveCopyRange,
  S3Error,
  type ByteRange,
  type CompletedPart,
  type CompleteMultipartOptions,
  type Conditions,
  type CopyOptions,
  type CopyResult,
  type CopySource,
  type CreateMultipartOptions,
  type ListOptions,
  type ObjectContent,
  type ObjectInfo,
  type PartInfo,
  type ReadOptions,
  type UploadPartCopyOptions,
  type UploadPartOptions,
  type WriteOptions,
  type WriteResult,
  type DeleteOptions,
} from '../../s3-api/index.js';
import {
  CONTAINER_CONTENT_TYPE,
  factsFromMetadata,
  factsToMetadata,
  isMadeOf,
  joinHints,
  splitReservedMetadata,
} from './facts.js';
import type { ImageSource } from './image-source.js';
import type { LatentListing } from './latent-listing.js';
import type { LatentWriter } from './latent-writer.js';
import type { BackingStore, BackingWriteOptions, FirstBytesTest, OpenedUpload } from '../stores/backing-store.js';
import { bytesAsStream } from '../stores/upload-reader.js';
import { discard, evaluate, headAnswer, imageAnswer, verbatimInfo } from './answers.js';
import { PassThroughStore } from './pass-through-store.js';
import type { RecentVerbatim } from './recent-verbatim.js';
import { requestedRepresentation } from './representation.js';
import type { Representations } from './representations.js';
import { serverTiming, objectId, type ImageHead, type ReadObserver } from './stored-image.js';

export interface LatentStoreParts {
  readonly backing: BackingStore;
  readonly source: ImageSource;
  readonly writer: LatentWriter;
  readonly listing: LatentListing;
  readonly recentVerbatim: RecentVerbatim;
  readonly representations: Representations;
  readonly observer: ReadObserver;
}

export class LatentStore extends PassThroughStore {
  constructor(private readonly parts: LatentStoreParts) {
    super(parts.backing);
  }

  override async headObject(
    bucket: string,
    key: string,
    options: ReadOptions,
    signal: AbortSignal,
  ): Promise<Omit<ObjectContent, 'body'>> {
    const representation = requestedRepresentation(options.preferences);
    if (representation) {
      const { body: _notOfHead, ...answer } = await this.parts.representations.get(
        bucket,
        key,
        options,
        representation,
        signal,
      );
      return answer;
    }
    const cached = options.versionId === undefined ? this.parts.source.cachedHead(bucket, key) : undefined;
    if (cached) return headAnswer(cached.info, options);
    const { conditions: _own, range: _also, partNumber, ...rest } = options;
    const { info } = await this.backing.headObject(bucket, key, rest, signal);
    const head = await this.parts.source.head(bucket, info, signal);
    if (head) return headAnswer(head.info, options);
    if (partNumber === undefined) return headAnswer(verbatimInfo(info), options);
    const answer = await this.backing.headObject(bucket, key, options, signal);
    return { ...answer, info: verbatimInfo(answer.info) };
  }

  override async getObject(
    bucket: string,
    key: string,
    options: ReadOptions,
    signal: AbortSignal,
  ): Promise<ObjectContent> {
    if (options.versionId !== undefined) return this.#getVersion(bucket, key, options, signal);
    const representation = requestedRepresentation(options.preferences);
    if (representation) return this.parts.representations.get(bucket, key, options, representation, signal);
    const { source, recentVerbatim } = this.parts;
    const partial = options.range !== undefined || options.partNumber !== undefined;
    const id = objectId(bucket, key);
    if (!source.cachedHead(bucket, key) && (recentVerbatim.has(id) || partial)) {
      const verbatim = await this.#tryVerbatim(bucket, key, options, signal);
      if (verbatim) return verbatim;
    }
    const found = await source.find(bucket, key, (head) => evaluate(head.info, options.conditions), signal);
    if (found.kind === 'image') {
      this.parts.observer.read(found.outcome, found.timings, found.coalesced);
      return imageAnswer(found.head, found.png, options, {
        'x-lbx-outcome': found.outcome,
        'server-timing': serverTiming(found.timings),
      });
    }
    recentVerbatim.add(id);
    const content = found.take();
    if (content && !partial) {
      try {
        evaluate(content.info, options.conditions);
      } catch (error) {
        discard(content);
        throw error;
      }
      return this.#verbatimAnswer(content);
    }
    if (content) discard(content);
    return this.#verbatimAnswer(await this.backing.getObject(bucket, key, options, signal));
  }

  /** What is cached of the key is the writer's to drop, since it also puts the new object there. */
  override async putObject(
    bucket: string,
    key: string,
    body: Readable,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const conditions = await this.#translate(bucket, key, options.conditions, signal);
    this.parts.recentVerbatim.delete(objectId(bucket, key));
    const storeVerbatim = (bytes: Readable, plain: WriteOptions) =>
      this.backing.putObject(bucket, key, bytes, plain, signal);
    return this.parts.writer.write(
      { bucket, key, body, options: withConditions(options, conditions), storeVerbatim },
      signal,
    );
  }

  override async deleteObject(bucket: string, key: string, options: DeleteOptions, signal: AbortSignal) {
    const conditions = await this.#translate(bucket, key, options.conditions, signal);
    return this.#forgetting(bucket, key, () =>
      this.backing.deleteObject(bucket, key, withConditions(options, conditions), signal),
    );
  }

  override async copyObject(
    source: CopySource,
    bucket: string,
    key: string,
    options: CopyOptions,
    signal: AbortSignal,
  ): Promise<CopyResult> {
    const { backing } = this;
    const version = source.versionId === undefined ? {} : { versionId: source.versionId };
    const info = await this.#copySource(source, bucket, version, signal);
    const head = await this.parts.source.head(source.bucket, info, signal);
    const conditions = await this.#translate(bucket, key, options.conditions, signal);
    const target = withConditions(options, conditions);
    if (!head) {
      const own = target.replaceMetadata && {
        replaceMetadata: {
          ...target.replaceMetadata,
          userMetadata: splitReservedMetadata(target.replaceMetadata.userMetadata).own,
        },
      };
      return this.#forgetting(bucket, key, () =>
        backing.copyObject(source, bucket, key, { ...target, ...own }, signal),
      );
    }
    evaluate(head.info, source.conditions);
    const from: CopySource = { ...source, conditions: { ifMatch: [info.etag] } };
    const { checksumAlgorithm: _ofTheContainer, ...rest } = target;
    const stored = rest.replaceMetadata
      ? { ...rest, replaceMetadata: latentMetadata(rest.replaceMetadata, head) }
      : rest;
    const copied = await this.#forgetting(bucket, key, () => backing.copyObject(from, bucket, key, stored, signal));
    const { checksums: _alsoOfTheContainer, ...result } = copied;
    return { ...result, etag: this.parts.source.etag(head.facts) };
  }

  override listObjects(bucket: string, options: ListOptions, signal: AbortSignal) {
    return this.parts.listing.list(bucket, options, signal);
  }

  override async listObjectParts(bucket: string, key: string, signal: AbortSignal) {
    const { info } = await this.backing.headObject(bucket, key, {}, signal);
    return factsFromMetadata(info) ? [] : this.backing.listObjectParts(bucket, key, signal);
  }

  override createMultipartUpload(bucket: string, key: string, options: CreateMultipartOptions, signal: AbortSignal) {
    const reading = this.parts.writer.readingOf(bucket, key, options.userMetadata);
    const { own } = splitReservedMetadata(options.userMetadata);
    const plain = { ...options, userMetadata: own, ...(reading && { reading }) };
    return this.backing.createMultipartUpload(bucket, key, plain, signal);
  }

  override uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: UploadPartOptions,
    signal: AbortSignal,
  ) {
    const tested = { ...options, opensUpload: this.#candidateTest(bucket, key) };
    return this.backing.uploadPart(bucket, key, uploadId, partNumber, body, tested, signal);
  }

  /** A range of an image is one of its PNG, which no backing store can copy. */
  override async uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    options: UploadPartCopyOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    const { range, versionId, conditions, ...from } = source;
    const version = versionId === undefined ? {} : { versionId };
    const info = await this.#copySource(from, bucket, version, signal);
    const head = await this.parts.source.head(from.bucket, info, signal);
    if (!head) {
      const tested = { ...options, opensUpload: this.#candidateTest(bucket, key) };
      return this.backing.uploadPartCopy(source, bucket, key, uploadId, partNumber, tested, signal);
    }
    evaluateCopySourceConditions(conditions, head.info);
    if (range) resolveCopyRange(range, head.info.size);
    const read = { ...version, conditions: { ifMatch: [head.info.etag] }, ...(range && { range }) };
    const { body } = await this.getObject(from.bucket, from.key, read, signal);
    if (!(body instanceof Uint8Array)) throw new Error(`the image ${from.bucket}/${from.key} was not read whole`);
    const plain = { contentLength: body.byteLength };
    return this.uploadPart(bucket, key, uploadId, partNumber, bytesAsStream(body), plain, signal);
  }

  /** The parts are looked at as one body, and what they are decides what is stored: see `LatentWriter.write`. */
  override async completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const conditions = await this.#translate(bucket, key, options.conditions, signal);
    const join = () =>
      this.backing.completeMultipartUpload(bucket, key, uploadId, parts, withConditions(options, conditions), signal);
    const upload = await this.#openUpload(bucket, key, uploadId, parts, options, signal);
    if (!upload) {
      const earlier = await this.#earlierOutcome(bucket, key, uploadId, signal);
      return earlier ?? this.#forgetting(bucket, key, () => this.parts.writer.verbatim(bucket, key, join));
    }
    const { body, size, context } = upload;
    const metadata = { ...upload.options, userMetadata: joinHints(upload.options.userMetadata, context) };
    const storeVerbatim = (unread: Readable) => {
      unread.destroy();
      body.destroy();
      return join();
    };
    this.parts.recentVerbatim.delete(objectId(bucket, key));
    try {
      const whole: BackingWriteOptions = { ...metadata, contentLength: size, endsUpload: uploadId };
      const write = withConditions(whole, conditions);
      return await this.parts.writer.write({ bucket, key, body, options: write, storeVerbatim }, signal);
    } finally {
      body.destroy();
    }
  }

  /** What a copy is made of. A HEAD does not tell a missing bucket from a missing key, as a copy's answer must. */
  async #copySource(
    { bucket, key }: Pick<CopySource, 'bucket' | 'key'>,
    target: string,
    version: Pick<ReadOptions, 'versionId'>,
    signal: AbortSignal,
  ): Promise<ObjectInfo> {
    try {
      return (await this.backing.headObject(bucket, key, version, signal)).info;
    } catch (error) {
      if (!(error instanceof S3Error && error.code === 'NoSuchKey')) throw error;
      await this.backing.headBucket(target, signal);
      await this.backing.headBucket(bucket, signal);
      throw error;
    }
  }

  #candidateTest(bucket: string, key: string): FirstBytesTest {
    return (head) => this.parts.writer.isCandidate(bucket, key, head);
  }

  /** @returns undefined where it cannot be opened, or is there no more */
  async #openUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<OpenedUpload | undefined> {
    try {
      return await this.backing.openUpload(bucket, key, uploadId, parts, options, signal);
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchUpload') return undefined;
      throw error;
    }
  }

  /** The answer that a client which lost it asks for again: the image under the key, if this upload made it. */
  async #earlierOutcome(
    bucket: string,
    key: string,
    uploadId: string,
    signal: AbortSignal,
  ): Promise<WriteResult | undefined> {
    try {
      const { info } = await this.backing.headObject(bucket, key, {}, signal);
      if (!isMadeOf(uploadId, info.userMetadata)) return undefined;
      const head = await this.parts.source.head(bucket, info, signal);
      return head && this.parts.writer.outcome(head.facts, info);
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  /** A version that is not the latest has no place in the cache. */
  async #getVersion(bucket: string, key: string, options: ReadOptions, signal: AbortSignal): Promise<ObjectContent> {
    const { source, observer } = this.parts;
    const verbatim = await this.#tryVerbatim(bucket, key, options, signal);
    if (verbatim) return verbatim;
    const content = await this.backing.getObject(bucket, key, only(options, 'versionId'), signal);
    const { head, png, timings } = await source.decodeContent(bucket, content, signal);
    observer.read('miss', timings, false);
    return imageAnswer(head, png, options, { 'x-lbx-outcome': 'miss', 'server-timing': serverTiming(timings) });
  }

  /**
   * Asks the backing store for just what the client asked for, in the hope that the object is verbatim.
   *
   * @returns undefined where it is latent-backed, and the range and conditions speak of the PNG
   */
  async #tryVerbatim(
    bucket: string,
    key: string,
    options: ReadOptions,
    signal: AbortSignal,
  ): Promise<ObjectContent | undefined> {
    let content: ObjectContent;
    try {
      content = await this.backing.getObject(bucket, key, options, signal);
    } catch (error) {
      const aboutTheContainer = error instanceof S3Error && ABOUT_THE_REPRESENTATION.has(error.code);
      if (!aboutTheContainer) throw error;
      const { info } = await this.backing.headObject(bucket, key, only(options, 'versionId'), signal);
      if (factsFromMetadata(info)) return undefined;
      throw error;
    }
    if (!factsFromMetadata(content.info)) return this.#verbatimAnswer(content);
    discard(content);
    return undefined;
  }

  #verbatimAnswer(content: ObjectContent): ObjectContent {
    this.parts.observer.read('verbatim', {}, false);
    const info = verbatimInfo(content.info);
    return { ...content, info: { ...info, extraHeaders: { ...info.extraHeaders, 'x-lbx-outcome': 'verbatim' } } };
  }

  /** Runs a write and lets nothing cached of the key outlive it, however it ended. */
  async #forgetting<T>(bucket: string, key: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } finally {
      this.parts.recentVerbatim.delete(objectId(bucket, key));
      this.parts.source.written(bucket, key);
    }
  }

  /**
   * Conditions of a write, which name the PNG's ETag, as conditions on the stored object.
   *
   * @throws S3Error PreconditionFailed, or NoSuchKey where `If-Match` meets no object
   */
  async #translate(
    bucket: string,
    key: string,
    conditions: Conditions | undefined,
    signal: AbortSignal,
  ): Promise<Conditions | undefined> {
    const { ifMatch: wanted, ifMatchSize: size } = conditions ?? {};
    if (size === undefined && (!wanted || wanted.includes('*'))) return conditions;
    const { info } = await this.backing.headObject(bucket, key, {}, signal);
    const head = await this.parts.source.head(bucket, info, signal);
    if (!head) return conditions;
    if (wanted && !wanted.includes('*') && !wanted.includes(head.info.etag))
      throw errors.preconditionFailed('If-Match');
    if (size !== undefined && size !== head.info.size) throw errors.preconditionFailed('x-amz-if-match-size');
    const { ifMatchSize: _ofThePng, ...rest } = conditions ?? {};
    return { ...rest, ifMatch: [info.etag] };
  }
}

/** Errors of a read that a container and the PNG that it decodes to need not share. */
const ABOUT_THE_REPRESENTATION: ReadonlySet<string> = new Set([
  'InvalidRange',
  'InvalidPartNumber',
  'NotModified',
  'PreconditionFailed',
]);

function latentMetadata(
  replacement: NonNullable<CopyOptions['replaceMetadata']>,
  head: ImageHead,
): NonNullable<CopyOptions['replaceMetadata']> {
  const { contentEncoding: _notOfTheContainer, ...systemMetadata } = replacement.systemMetadata;
  const { own } = splitReservedMetadata(replacement.userMetadata);
  return {
    systemMetadata: { ...systemMetadata, contentType: CONTAINER_CONTENT_TYPE },
    userMetadata: { ...own, ...factsToMetadata({ ...head.facts, metadataInContainer: false }) },
  };
}

function withConditions<T extends { readonly conditions?: Conditions }>(
  options: T,
  conditions: Conditions | undefined,
): T {
  const { conditions: _translated, ...rest } = options;
  return (conditions ? { ...rest, conditions } : rest) as T;
}

function only<K extends keyof ReadOptions>(
  options: ReadOptions,
  name: K,
): Pick<ReadOptions, K> | Record<string, never> {
  return options[name] === undefined ? {} : ({ [name]: options[name] } as Pick<ReadOptions, K>);
}
