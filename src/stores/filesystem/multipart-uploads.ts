/** Multipart uploads on plain files: parts are staged out of sight and joined into one body at Complete. */
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { multipartChecksumType } from '../../../s3-api/checksums/index.js';
import { errors } from '../../../s3-api/errors.js';
import type {
  ListPartsOptions,
  MultipartUpload,
  PartInfo,
  PartListing,
  UploadPartOptions,
} from '../../../s3-api/object-store.js';
import type { BackingUploadOptions, OpenedUpload } from '../backing-store.js';
import type { PartRecord, UploadRecord } from './records.js';
import { requireChecksumKind } from '../complete-upload.js';
import { hasErrorCode } from './durable-files.js';
import { stageBody, type StagedBody } from './stage-body.js';
import type { Stamps } from './stamps.js';
import type { StagingArea } from './staging-area.js';
import { newUploadId, type UploadCatalogue } from './upload-catalogue.js';

/** What S3 computes where the client named no algorithm. */
const DEFAULT_CHECKSUM = 'CRC64NVME';
const JOIN_CHUNK_BYTES = 1 << 20;
const READ_CHUNK_BYTES = 256 << 10;

export class MultipartUploads {
  constructor(
    private readonly catalogue: UploadCatalogue,
    private readonly staging: StagingArea,
    private readonly stamps: Stamps,
  ) {}

  async create(bucket: string, key: string, options: BackingUploadOptions): Promise<MultipartUpload> {
    const { systemMetadata, userMetadata, tags, storageClass, checksumAlgorithm, checksumType, reading } = options;
    const initiated = Date.now();
    const record: UploadRecord = {
      key,
      uploadId: newUploadId(initiated),
      initiated,
      systemMetadata,
      userMetadata,
      ...(tags !== undefined && { tags }),
      ...(storageClass !== undefined && { storageClass }),
      ...(checksumAlgorithm !== undefined && {
        checksumAlgorithm,
        checksumType: multipartChecksumType(checksumAlgorithm, checksumType),
      }),
      ...(reading !== undefined && { context: reading.context }),
    };
    await this.catalogue.create(bucket, record);
    return describeUpload(record);
  }

  /** Rejects with NoSuchUpload, or InvalidRequest where the part's checksum is of another kind than the upload's. */
  async uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: UploadPartOptions,
    signal: AbortSignal,
  ): Promise<PartInfo> {
    let staged: StagedBody;
    try {
      const upload = this.catalogue.require(bucket, key, uploadId);
      const { checksum, contentLength } = options;
      requireChecksumKind(upload, checksum);
      const staging = {
        checksum: checksum ?? upload.checksumAlgorithm ?? DEFAULT_CHECKSUM,
        ...(contentLength !== undefined && { contentLength }),
      };
      staged = await stageBody(body, staging, this.staging, this.stamps, signal);
    } catch (error) {
      body.destroy();
      throw error;
    }
    const { size, md5, lastModified, checksum } = staged;
    const facts = { partNumber, size, etag: md5, lastModified, checksums: [checksum] };
    await this.catalogue.addPart(bucket, key, uploadId, staged, facts);
    return { ...facts, lastModified: new Date(lastModified) };
  }

  /** Rejects with NoSuchUpload. */
  async abort(bucket: string, key: string, uploadId: string): Promise<void> {
    await this.catalogue.exclusively(uploadId, async () => {
      this.catalogue.require(bucket, key, uploadId);
      await this.catalogue.drop(bucket, key, uploadId);
    });
  }

  listParts(bucket: string, key: string, uploadId: string, options: ListPartsOptions): PartListing {
    const upload = describeUpload(this.catalogue.require(bucket, key, uploadId));
    const { partNumberMarker = 0, maxParts } = options;
    const found = this.catalogue.parts(uploadId, partNumberMarker, maxParts + 1);
    const parts = found.slice(0, maxParts).map(describePart);
    const isTruncated = found.length > maxParts && maxParts > 0;
    const last = parts.at(-1)?.partNumber;
    return { upload, parts, isTruncated, ...(isTruncated && last !== undefined && { nextPartNumberMarker: last }) };
  }

  /** What joining these parts would give, read from their files. Its body fails with NoSuchUpload where they go meanwhile. */
  opened(upload: UploadRecord, parts: readonly PartRecord[]): OpenedUpload {
    const { systemMetadata, userMetadata, tags, storageClass, context = {}, uploadId } = upload;
    return {
      size: parts.reduce((sum, part) => sum + part.size, 0),
      options: {
        systemMetadata,
        userMetadata,
        ...(tags !== undefined && { tags }),
        ...(storageClass !== undefined && { storageClass }),
      },
      context,
      body: Readable.from(this.bytesOf(uploadId, parts), { objectMode: false }),
    };
  }

  private async *bytesOf(uploadId: string, parts: readonly PartRecord[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      const file = await this.openPart(uploadId, part);
      yield* file.createReadStream({ highWaterMark: READ_CHUNK_BYTES }) as AsyncIterable<Uint8Array>;
    }
  }

  private async openPart(uploadId: string, part: PartRecord): Promise<FileHandle> {
    try {
      return await open(this.catalogue.partPath(uploadId, part), 'r');
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) throw errors.noSuchUpload(uploadId);
      throw error;
    }
  }

  /** The parts' bytes one after another in one staged body. */
  async join(
    uploadId: string,
    parts: readonly PartRecord[],
    signal: AbortSignal,
  ): Promise<Omit<StagedBody, 'md5' | 'checksum'>> {
    const { path, handle } = await this.staging.create();
    try {
      const buffer = Buffer.allocUnsafeSlow(JOIN_CHUNK_BYTES);
      let size = 0;
      for (const part of parts) {
        const source = await open(this.catalogue.partPath(uploadId, part), 'r');
        try {
          for (let done = 0; done < part.size;) {
            signal.throwIfAborted();
            const { bytesRead } = await source.read(buffer, 0, buffer.length, done);
            if (bytesRead === 0) throw new Error(`part ${part.partNumber} of upload ${uploadId} became shorter`);
            for (let written = 0; written < bytesRead;) {
              written += (await handle.write(buffer, written, bytesRead - written, size + written)).bytesWritten;
            }
            done += bytesRead;
            size += bytesRead;
          }
        } finally {
          await source.close();
        }
      }
      const { stamp, lastModified } = await this.stamps.put(handle);
      await handle.sync();
      await handle.close();
      return { path, stamp, lastModified, size };
    } catch (error) {
      await handle.close();
      await this.staging.discard(path);
      throw error;
    }
  }
}

export function describeUpload(record: UploadRecord): MultipartUpload {
  const { key, uploadId, initiated, storageClass, checksumAlgorithm, checksumType } = record;
  return {
    key,
    uploadId,
    initiated: new Date(initiated),
    ...(storageClass !== undefined && { storageClass }),
    ...(checksumAlgorithm !== undefined && { checksumAlgorithm }),
    ...(checksumType !== undefined && { checksumType }),
  };
}

function describePart({ partNumber, size, etag, lastModified, checksums }: PartRecord): PartInfo {
  return {
    partNumber,
    size,
    etag,
    lastModified: new Date(lastModified),
    ...(checksums !== undefined && { checksums }),
  };
}
