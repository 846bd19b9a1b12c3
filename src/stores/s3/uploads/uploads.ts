/**
 * Multipart uploads on a backing S3. Each is an upload over there, under its own key, and most of its parts go straight
 * to it. Those of an upload that may be a latent are staged as objects, so that they can be read before Complete; where
 * such an upload turns out to be an ordinary object, Complete lets the store copy them to where it joins parts.
 */
import { Readable } from 'node:stream';
import { resolveCopyRange } from '../../../../s3-api/byte-range.js';
import { S3Error } from '../../../../s3-api/errors.js';
import { mapWithLimit } from '../../../../s3-api/map-with-limit.js';
import type {
  ByteRange,
  CompletedPart,
  CompleteMultipartOptions,
  CopySource,
  ListPartsOptions,
  MultipartUpload,
  PartInfo,
  PartListing,
  WriteResult,
} from '../../../../s3-api/object-store.js';
import {
  SNIFF_BYTES,
  type BackingPartCopyOptions,
  type BackingPartOptions,
  type BackingUploadOptions,
  type FirstBytesTest,
  type OpenedUpload,
} from '../../backing-store.js';
import { checksumOfWhole, requireChecksumKind, selectParts } from '../../complete-upload.js';
import { PeekedUpload } from '../../upload-reader.js';
import type { Backing } from '../backing.js';
import { listObjects } from '../list-objects.js';
import * as native from '../multipart.js';
import { getObject, headObject } from '../read-objects.js';
import { throwCopyError } from '../to-s3-error.js';
import { StagedParts } from './staged-parts.js';
import { partKey } from './staging-keys.js';
import { Sweep } from './sweep.js';
import { UploadRecords, type UploadRecord } from './upload-records.js';
import { UploadRoutes, type Route } from './upload-routes.js';

const CONCURRENT_COPIES = 8;
/** What an upload leaves is cleared away within this time, whether or not its client is still there. */
const CLEANING_TIMEOUT_MS = 60_000;

export class Uploads {
  readonly #records: UploadRecords;
  readonly #staged: StagedParts;
  readonly #routes = new UploadRoutes();
  readonly #sweep: Sweep;

  constructor(private readonly backing: Backing) {
    this.#records = new UploadRecords(backing);
    this.#staged = new StagedParts(backing);
    this.#sweep = new Sweep(backing, this.#records, this.#staged);
  }

  async create(
    bucket: string,
    key: string,
    options: BackingUploadOptions,
    signal: AbortSignal,
  ): Promise<MultipartUpload> {
    const upload = await native.createMultipartUpload(this.backing, bucket, key, options, signal);
    const { reading } = options;
    if (reading === undefined || hasCustomerKey(options.passThroughHeaders)) return upload;
    await this.#records.write(bucket, key, upload.uploadId, { ...options, reading }, signal);
    void this.#sweep.due(bucket);
    return upload;
  }

  async uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: BackingPartOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    try {
      const { contentLength, checksum } = options;
      if (contentLength === undefined)
        throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
      const record = await this.#records.find(bucket, key, uploadId, signal);
      if (record === undefined)
        return await native.uploadPart(this.backing, bucket, key, uploadId, partNumber, body, options, signal);
      requireChecksumKind(record, checksum);
      const first = partNumber === 1 ? await PeekedUpload.of(body, SNIFF_BYTES) : undefined;
      const bytes = first?.rest ?? body;
      if ((await this.#route(bucket, record, first?.head, options.opensUpload, signal)) === 'direct')
        return await native.uploadPart(this.backing, bucket, key, uploadId, partNumber, bytes, options, signal);
      const asked = checksum ?? announcedChecksum(record);
      const plain = { ...options, contentLength, ...(asked && { checksum: asked }) };
      return await this.#staged.put(bucket, uploadId, partNumber, bytes, plain, signal);
    } catch (error) {
      body.destroy();
      throw error;
    }
  }

  /** A part that must be readable comes through the gateway: S3 copies parts only to where they are joined. */
  async uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    options: BackingPartCopyOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    const record = await this.#records.find(bucket, key, uploadId, signal);
    const copy = () => native.uploadPartCopy(this.backing, source, bucket, key, uploadId, partNumber, options, signal);
    if (record === undefined) return copy();
    const head = partNumber === 1 ? await this.#firstBytes(source, signal) : undefined;
    if ((await this.#route(bucket, record, head, options.opensUpload, signal)) === 'direct') return copy();
    const { range, versionId, conditions } = source;
    const version = versionId === undefined ? {} : { versionId };
    // What the conditions of a copy say is checked by HEAD; the bytes are then those of that very version.
    const { info } = await headObject(
      this.backing,
      source.bucket,
      source.key,
      { ...version, ...(conditions && { conditions }) },
      signal,
    ).catch(throwCopyError);
    if (range) resolveCopyRange(range, info.size);
    const read = { ...version, conditions: { ifMatch: [info.etag] }, ...(range && { range }) };
    const content = await getObject(this.backing, source.bucket, source.key, read, signal);
    const { first, last } = content.range ?? { first: 0, last: content.info.size - 1 };
    const checksum = announcedChecksum(record);
    const plain = { contentLength: last - first + 1, ...(checksum && { checksum }) };
    const body = content.body instanceof Uint8Array ? Readable.from([content.body]) : content.body;
    return this.#staged.put(bucket, uploadId, partNumber, body, plain, signal);
  }

  /** The bytes that Complete would join; `undefined` where some of the parts lie where only S3 can read them. */
  async open(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<OpenedUpload | undefined> {
    const record = await this.#records.find(bucket, key, uploadId, signal);
    if (record === undefined) return undefined;
    const staged = await this.#staged.list(bucket, uploadId, signal);
    const asked = new Map(parts.map(({ partNumber, etag }) => [partNumber, etag]));
    const named = staged.filter(({ partNumber, etag }) => asked.get(partNumber) === etag);
    if (named.length < asked.size) return undefined;
    const described = await this.#staged.describe(bucket, uploadId, named, signal);
    const selected = selectParts(record, described, parts, options);
    checksumOfWhole(record, selected, options.checksum);
    const { systemMetadata, userMetadata, tags, storageClass, passThroughHeaders, context } = record;
    return {
      size: selected.reduce((sum, { size }) => sum + size, 0),
      options: {
        systemMetadata,
        userMetadata,
        ...(tags && { tags }),
        ...(storageClass !== undefined && { storageClass }),
        ...(passThroughHeaders && { passThroughHeaders }),
      },
      context,
      body: Readable.from(this.#staged.read(bucket, uploadId, selected, signal), { objectMode: false }),
    };
  }

  async complete(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const record = await this.#records.find(bucket, key, uploadId, signal);
    const placed = record === undefined ? parts : await this.#place(bucket, record, parts, signal);
    const result = await native.completeMultipartUpload(this.backing, bucket, key, uploadId, placed, options, signal);
    if (record !== undefined) await this.#clear(bucket, uploadId);
    return result;
  }

  async abort(bucket: string, key: string, uploadId: string, signal: AbortSignal): Promise<void> {
    const record = await this.#records.find(bucket, key, uploadId, signal);
    await native.abortMultipartUpload(this.backing, bucket, key, uploadId, signal);
    if (record !== undefined) await this.#clear(bucket, uploadId);
  }

  /** Lets go of an upload whose object has been stored otherwise. What cannot be removed now is removed by the sweep. */
  async end(bucket: string, key: string, uploadId: string): Promise<void> {
    const signal = AbortSignal.timeout(CLEANING_TIMEOUT_MS);
    await native.abortMultipartUpload(this.backing, bucket, key, uploadId, signal).catch(() => undefined);
    await this.#clear(bucket, uploadId);
  }

  async listParts(
    bucket: string,
    key: string,
    uploadId: string,
    options: ListPartsOptions,
    signal: AbortSignal,
  ): Promise<PartListing> {
    const listing = await native.listParts(this.backing, bucket, key, uploadId, options, signal);
    const record = await this.#records.find(bucket, key, uploadId, signal);
    if (record === undefined) return listing;
    const { partNumberMarker = 0, maxParts } = options;
    const staged = (await this.#staged.list(bucket, uploadId, signal)).filter(
      ({ partNumber }) => partNumber > partNumberMarker,
    );
    const page = await this.#staged.describe(bucket, uploadId, staged.slice(0, maxParts), signal);
    const { checksumAlgorithm, checksumType } = record;
    const upload = {
      ...listing.upload,
      ...(checksumAlgorithm && { checksumAlgorithm }),
      ...(checksumType && { checksumType }),
    };
    const all = newest([...listing.parts, ...page]);
    const parts = all.slice(0, maxParts);
    const isTruncated = maxParts > 0 && (listing.isTruncated || all.length > maxParts || staged.length > maxParts);
    const last = parts.at(-1)?.partNumber;
    return { upload, parts, isTruncated, ...(isTruncated && last !== undefined && { nextPartNumberMarker: last }) };
  }

  /** @param head of part 1; `undefined` for another part */
  async #route(
    bucket: string,
    record: UploadRecord,
    head: Uint8Array | undefined,
    test: FirstBytesTest | undefined,
    signal: AbortSignal,
  ): Promise<Route> {
    if (record.when === 'always') return 'staged';
    if (test === undefined) return 'direct';
    const { uploadId } = record;
    if (head !== undefined) {
      const route = test(head) ? 'staged' : 'direct';
      this.#routes.decide(uploadId, route);
      return route;
    }
    const known = (await this.#routes.wait(uploadId, signal)) ?? (await this.#earlierRoute(bucket, record, signal));
    if (known === undefined) return 'staged';
    this.#routes.decide(uploadId, known);
    return known;
  }

  /** What part 1 said before this process began, or to another gateway. */
  async #earlierRoute(
    bucket: string,
    { key, uploadId }: UploadRecord,
    signal: AbortSignal,
  ): Promise<Route | undefined> {
    const [staged] = await this.#staged.list(bucket, uploadId, signal);
    if (staged?.partNumber === 1) return 'staged';
    const { parts } = await native.listParts(this.backing, bucket, key, uploadId, { maxParts: 1 }, signal);
    return parts[0]?.partNumber === 1 ? 'direct' : undefined;
  }

  async #firstBytes(
    { bucket, key, versionId, range }: CopySource & { readonly range?: ByteRange },
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const first = range?.kind === 'from' ? range.first : 0;
    const start = { kind: 'from', first, last: first + SNIFF_BYTES - 1 } as const;
    const options = { range: start, ...(versionId !== undefined && { versionId }) };
    try {
      const { body } = await getObject(this.backing, bucket, key, options, signal);
      return body instanceof Uint8Array ? body : (await PeekedUpload.of(body, SNIFF_BYTES)).head;
    } catch (error) {
      // Empty, or shorter than the range: no image, and the copy itself says what is wrong.
      if (error instanceof S3Error && error.code === 'InvalidRange') return new Uint8Array();
      throw error;
    }
  }

  /** Copies staged parts to where the store joins them; the parts as Complete must name them then. */
  async #place(
    bucket: string,
    { key, uploadId, checksumAlgorithm }: UploadRecord,
    parts: readonly CompletedPart[],
    signal: AbortSignal,
  ): Promise<readonly CompletedPart[]> {
    const staged = new Map(
      (await this.#staged.list(bucket, uploadId, signal)).map((part) => [part.partNumber, part.etag]),
    );
    try {
      return await mapWithLimit(parts, CONCURRENT_COPIES, async (part) => {
        const { partNumber, etag, checksums } = part;
        if (staged.get(partNumber) !== etag) return part;
        const source = { bucket, key: partKey(uploadId, partNumber), conditions: { ifMatch: [etag] } };
        const copied = await native.uploadPartCopy(this.backing, source, bucket, key, uploadId, partNumber, {}, signal);
        // A part that was copied has the checksum that the upload was created with, and none that only the part had.
        return { partNumber, etag: copied.etag, ...(checksumAlgorithm && checksums && { checksums }) };
      });
    } catch (error) {
      // It was completed before, by a request whose answer was lost: the store itself says so.
      if (error instanceof S3Error && error.code === 'NoSuchUpload') return parts;
      throw error;
    }
  }

  /** Removes what uploads in progress keep in a bucket that holds nothing else; `false` where it does. */
  async clearBucket(bucket: string, signal: AbortSignal): Promise<boolean> {
    const { objects } = await listObjects(this.backing, bucket, { maxKeys: 1 }, signal);
    if (objects.length > 0) return false;
    return this.#staged.removeAll(bucket, signal);
  }

  async #clear(bucket: string, uploadId: string): Promise<void> {
    const signal = AbortSignal.timeout(CLEANING_TIMEOUT_MS);
    this.#routes.forget(uploadId);
    try {
      await this.#staged.remove(bucket, uploadId, await this.#staged.list(bucket, uploadId, signal), signal);
      await this.#records.remove(bucket, uploadId, signal);
    } catch {
      // The upload has its outcome; what is left of it is the sweep's.
    }
  }
}

/** One entry a part number: the later of a staged and a joined body. */
function newest(parts: readonly PartInfo[]): PartInfo[] {
  const byNumber = new Map<number, PartInfo>();
  for (const part of parts) {
    const other = byNumber.get(part.partNumber);
    if (other === undefined || other.lastModified <= part.lastModified) byNumber.set(part.partNumber, part);
  }
  return [...byNumber.values()].sort((a, b) => a.partNumber - b.partNumber);
}

function announcedChecksum({ checksumAlgorithm: algorithm }: UploadRecord) {
  return algorithm && { algorithm, value: () => undefined };
}

/** Objects under a customer's key can be read only by requests that bring it, and Complete does not. */
function hasCustomerKey(headers: Readonly<Record<string, string>> | undefined): boolean {
  return headers?.['x-amz-server-side-encryption-customer-algorithm'] !== undefined;
}
