/** What S3 does not tell of an upload in progress and Complete must know: kept as a small object for as long as it lasts. */
import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { S3Error } from '../../../../s3-api/errors.js';
import type { BackingUploadOptions } from '../../backing-store.js';
import type { Backing } from '../backing.js';
import { readSmall } from '../upload-body.js';
import { deleteObject, putObject } from '../write-objects.js';
import { getObject } from '../read-objects.js';
import { recordKey } from './staging-keys.js';

const MAX_KNOWN = 10_000;
/** Another gateway may end an upload: what is known of one is asked for again after so long. */
const KNOWN_FOR_MS = 60_000;
const MAX_RECORD_BYTES = 64 << 10;

const text = z.record(z.string(), z.string());
const recordSchema = z.object({
  key: z.string(),
  uploadId: z.string(),
  when: z.enum(['always', 'by-first-bytes']),
  context: text,
  systemMetadata: z.object({
    contentType: z.string().exactOptional(),
    contentEncoding: z.string().exactOptional(),
    contentDisposition: z.string().exactOptional(),
    contentLanguage: z.string().exactOptional(),
    cacheControl: z.string().exactOptional(),
    expires: z.string().exactOptional(),
    websiteRedirectLocation: z.string().exactOptional(),
  }),
  userMetadata: text,
  tags: text.exactOptional(),
  storageClass: z.string().exactOptional(),
  passThroughHeaders: text.exactOptional(),
  checksumAlgorithm: z.enum(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']).exactOptional(),
  checksumType: z.enum(['FULL_OBJECT', 'COMPOSITE']).exactOptional(),
});

export type UploadRecord = z.output<typeof recordSchema>;

export class UploadRecords {
  /** `false`: the upload has no record, since nobody will open it. */
  readonly #known = new LRUCache<string, UploadRecord | false>({ max: MAX_KNOWN, ttl: KNOWN_FOR_MS });

  constructor(private readonly backing: Backing) {}

  async write(
    bucket: string,
    key: string,
    uploadId: string,
    { reading, ...options }: BackingUploadOptions & Required<Pick<BackingUploadOptions, 'reading'>>,
    signal: AbortSignal,
  ): Promise<void> {
    const record = recordSchema.parse({ key, uploadId, ...reading, ...options });
    const bytes = Buffer.from(JSON.stringify(record));
    const plain = {
      contentLength: bytes.length,
      systemMetadata: { contentType: 'application/json' },
      userMetadata: {},
    };
    await putObject(
      this.backing,
      bucket,
      recordKey(uploadId),
      Readable.from([bytes], { objectMode: false }),
      plain,
      signal,
    );
    this.#known.set(uploadId, record);
  }

  /** The record of an upload under this key that may be opened, or `undefined`. */
  async find(bucket: string, key: string, uploadId: string, signal: AbortSignal): Promise<UploadRecord | undefined> {
    const known = this.#known.get(uploadId) ?? (await this.#read(bucket, recordKey(uploadId), signal));
    this.#known.set(uploadId, known);
    return known !== false && known.key === key ? known : undefined;
  }

  /** The record that lies under this key, if it is one. */
  at(bucket: string, key: string, signal: AbortSignal): Promise<UploadRecord | false> {
    return this.#read(bucket, key, signal);
  }

  async remove(bucket: string, uploadId: string, signal: AbortSignal): Promise<void> {
    this.#known.set(uploadId, false);
    await deleteObject(this.backing, bucket, recordKey(uploadId), {}, signal);
  }

  async #read(bucket: string, key: string, signal: AbortSignal): Promise<UploadRecord | false> {
    try {
      const { info, body } = await getObject(this.backing, bucket, key, {}, signal);
      if (info.size > MAX_RECORD_BYTES) throw new Error(`${key} is no record of an upload: it has ${info.size} bytes`);
      const bytes = body instanceof Uint8Array ? body : await readSmall(body, info.size);
      return recordSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchKey') return false;
      throw error;
    }
  }
}
