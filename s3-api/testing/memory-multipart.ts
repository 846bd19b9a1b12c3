/** Multipart uploads of the in-memory store. */
import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { resolveCopyRange } from '../byte-range.js';
import { multipartChecksum, multipartChecksumType } from '../checksums/index.js';
import { evaluateCopySourceConditions, evaluateWriteConditions } from '../conditions.js';
import { errors, S3Error } from '../errors.js';
import { compareKeys } from '../key-order.js';
import { commonPrefixOf } from '../list-page.js';
import type {
  ByteRange,
  CompletedPart,
  CompleteMultipartOptions,
  CopySource,
  CreateMultipartOptions,
  ListMultipartUploadsOptions,
  ListPartsOptions,
  MultipartUpload,
  MultipartUploadListing,
  ObjectChecksum,
  PartInfo,
  PartListing,
  UploadPartOptions,
  WriteResult,
} from '../object-store.js';
import { checksumOf } from './memory-checksums.js';
import { DEFAULT_CHECKSUM, MemoryObjects, type StoredObject, type StoredUpload } from './memory-objects.js';

const MIN_PART_BYTES = 5 * 1024 * 1024;

export abstract class MemoryMultipart extends MemoryObjects {
  async createMultipartUpload(bucket: string, key: string, options: CreateMultipartOptions): Promise<MultipartUpload> {
    const { checksumAlgorithm, checksumType, storageClass } = options;
    const upload: MultipartUpload = {
      key,
      uploadId: randomUUID(),
      initiated: new Date(),
      ...(checksumAlgorithm !== undefined && { checksumAlgorithm }),
      ...(checksumType !== undefined && { checksumType }),
      ...(storageClass !== undefined && { storageClass }),
    };
    this.bucket(bucket).uploads.set(upload.uploadId, { upload, options, parts: new Map() });
    return upload;
  }

  async uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: UploadPartOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    const stored = this.#upload(bucket, key, uploadId);
    const bytes = await this.readAll(body, signal);
    return keepPart(stored, partNumber, bytes, options.checksum?.algorithm);
  }

  async uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
  ): Promise<PartInfo> {
    const stored = this.#upload(bucket, key, uploadId);
    const from = this.object(source.bucket, source.key, source.versionId);
    evaluateCopySourceConditions(source.conditions, from);
    if (source.range === undefined) return keepPart(stored, partNumber, from.bytes);
    const { first, last } = resolveCopyRange(source.range, from.bytes.length);
    return keepPart(stored, partNumber, from.bytes.subarray(first, last + 1));
  }

  async completeMultipartUpload(
    bucket: string,
    key: string,
    uploadId: string,
    named: readonly CompletedPart[],
    options: CompleteMultipartOptions,
  ): Promise<WriteResult> {
    const stored = this.#upload(bucket, key, uploadId);
    const { objects, uploads } = this.bucket(bucket);
    const parts = named.map((part, index) => checkedPart(stored, part, index === named.length - 1));
    const bytes = Buffer.concat(parts.map((part) => part.bytes));
    const checksum = wholeChecksum(stored, parts, bytes);
    if (options.mpuObjectSize !== undefined && options.mpuObjectSize !== bytes.length)
      throw errors.invalidRequest(`The provided 'x-amz-mp-object-size' header does not match what was computed.`);
    if (options.checksum !== undefined && options.checksum.value !== checksum.value)
      throw new S3Error('BadDigest', 'The checksum you specified did not match the calculated checksum.');
    evaluateWriteConditions(options.conditions, key, objects.get(key));
    const etags = parts.map(({ etag }) => Buffer.from(etag, 'hex'));
    const object: StoredObject = {
      key,
      bytes,
      etag: `${createHash('md5').update(Buffer.concat(etags)).digest('hex')}-${parts.length}`,
      lastModified: new Date(),
      systemMetadata: stored.options.systemMetadata,
      userMetadata: stored.options.userMetadata,
      tags: stored.options.tags ?? {},
      checksums: [checksum],
      parts,
      ...(stored.options.storageClass !== undefined && { storageClass: stored.options.storageClass }),
    };
    objects.set(key, object);
    uploads.delete(uploadId);
    return { etag: object.etag, checksums: object.checksums };
  }

  async abortMultipartUpload(bucket: string, key: string, uploadId: string): Promise<void> {
    this.#upload(bucket, key, uploadId);
    this.bucket(bucket).uploads.delete(uploadId);
  }

  async listParts(bucket: string, key: string, uploadId: string, options: ListPartsOptions): Promise<PartListing> {
    const { upload, parts } = this.#upload(bucket, key, uploadId);
    const rest = [...parts.values()]
      .filter(({ partNumber }) => partNumber > (options.partNumberMarker ?? 0))
      .sort((a, b) => a.partNumber - b.partNumber);
    const page = rest.slice(0, options.maxParts);
    const last = page.at(-1);
    return {
      upload,
      parts: page,
      isTruncated: page.length < rest.length,
      ...(page.length < rest.length && last !== undefined && { nextPartNumberMarker: last.partNumber }),
    };
  }

  async listMultipartUploads(bucket: string, options: ListMultipartUploadsOptions): Promise<MultipartUploadListing> {
    const { prefix = '', delimiter, keyMarker, uploadIdMarker, maxUploads } = options;
    const entries = [...this.bucket(bucket).uploads.values()]
      .map(({ upload }) => ({ upload, group: commonPrefixOf(upload.key, prefix, delimiter) }))
      .filter(({ upload: { key, uploadId }, group }) => {
        if (!key.startsWith(prefix)) return false;
        if (keyMarker === undefined) return true;
        const order = compareKeys(group ?? key, keyMarker);
        return order > 0 || (order === 0 && uploadIdMarker !== undefined && uploadId > uploadIdMarker);
      })
      .sort((a, b) => compareKeys(a.upload.key, b.upload.key) || (a.upload.uploadId < b.upload.uploadId ? -1 : 1));
    const uploads: MultipartUpload[] = [];
    const commonPrefixes: string[] = [];
    for (const { upload, group } of entries) {
      if (group !== undefined && commonPrefixes.at(-1) === group) continue;
      if (uploads.length + commonPrefixes.length === maxUploads) {
        const last = uploads.at(-1);
        const next = [last?.key, commonPrefixes.at(-1)]
          .filter((key) => key !== undefined)
          .sort(compareKeys)
          .at(-1);
        return {
          uploads,
          commonPrefixes,
          isTruncated: true,
          ...(next !== undefined && { nextKeyMarker: next }),
          ...(last !== undefined && next === last.key && { nextUploadIdMarker: last.uploadId }),
        };
      }
      if (group === undefined) uploads.push(upload);
      else commonPrefixes.push(group);
    }
    return { uploads, commonPrefixes, isTruncated: false };
  }

  #upload(bucket: string, key: string, uploadId: string): StoredUpload {
    const stored = this.bucket(bucket).uploads.get(uploadId);
    if (stored === undefined || stored.upload.key !== key) throw errors.noSuchUpload(uploadId);
    return stored;
  }
}

function keepPart(
  { upload, parts }: StoredUpload,
  partNumber: number,
  bytes: Buffer,
  algorithm = upload.checksumAlgorithm ?? DEFAULT_CHECKSUM,
): PartInfo {
  const part = {
    partNumber,
    size: bytes.length,
    etag: createHash('md5').update(bytes).digest('hex'),
    lastModified: new Date(),
    checksums: [checksumOf(algorithm, bytes)],
    bytes,
  };
  parts.set(partNumber, part);
  return part;
}

function checkedPart({ upload, parts }: StoredUpload, named: CompletedPart, isLast: boolean) {
  const part = parts.get(named.partNumber);
  const wrong = named.checksums?.some(
    ({ algorithm, value }) =>
      part?.checksums?.some((checksum) => checksum.algorithm === algorithm && checksum.value === value) !== true,
  );
  if (part === undefined || part.etag !== named.etag || wrong === true)
    throw errors.invalidPart(upload.uploadId, named.partNumber, named.etag);
  if (!isLast && part.size < MIN_PART_BYTES)
    throw errors.entityTooSmall(part.partNumber, part.size, MIN_PART_BYTES, part.etag);
  return part;
}

function wholeChecksum(
  { upload }: StoredUpload,
  parts: readonly (PartInfo & { readonly bytes: Buffer })[],
  bytes: Buffer,
): ObjectChecksum {
  const algorithm = upload.checksumAlgorithm ?? DEFAULT_CHECKSUM;
  const type = multipartChecksumType(algorithm, upload.checksumType);
  if (type === 'FULL_OBJECT') return checksumOf(algorithm, bytes);
  return multipartChecksum(
    algorithm,
    type,
    parts.map((part) => ({ value: checksumOf(algorithm, part.bytes).value, size: part.size })),
  );
}
