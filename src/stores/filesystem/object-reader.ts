/** Opens an object's body together with the very metadata that was committed with it. */
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { errors, S3Error } from '../../../s3-api/errors.js';
import type { ObjectBody, ResolvedByteRange } from '../../../s3-api/object-store.js';
import { contentEtag } from './content-etag.js';
import { hasErrorCode } from './durable-files.js';
import type { MetadataIndex } from './metadata-index.js';
import { isVersion, type ObjectCommits } from './object-commits.js';
import type { ObjectRecord, ObjectVersion } from './records.js';

/** Bodies up to here are read at one go and handed on as bytes; larger ones are streamed. */
const READ_AT_ONCE_BYTES = 1 << 20;
const STREAM_CHUNK_BYTES = 256 << 10;
/** A reader meets a commit in the middle at most so often before the file itself must be at fault. */
const OPEN_ATTEMPTS = 8;
const OPEN_RETRY_MS = 5;

export interface OpenedObject {
  readonly handle: FileHandle;
  readonly version: ObjectVersion;
}

export class ObjectReader {
  constructor(
    private readonly index: MetadataIndex,
    private readonly commits: ObjectCommits,
  ) {}

  /** Metadata alone. Rejects with NoSuchKey or NoSuchBucket. */
  async head(bucket: string, key: string): Promise<ObjectVersion> {
    const version = await this.commits.current(bucket, key);
    return version ?? this.missing(bucket, key);
  }

  /** An open body and its metadata; whoever gets it closes the handle. Rejects with NoSuchKey or NoSuchBucket. */
  async open(bucket: string, key: string): Promise<OpenedObject> {
    for (let attempt = 1; ; attempt++) {
      this.index.refresh();
      const record = this.index.object(bucket, key);
      if (record === undefined) return this.missing(bucket, key);
      const handle = await this.openBody(bucket, record);
      if (handle === undefined) {
        if (record.settling !== undefined && record.settling.previous === undefined) return this.missing(bucket, key);
        if (attempt >= OPEN_ATTEMPTS) throw lost(bucket, key, record, 'is gone');
      } else {
        const version = await this.identify(handle, record);
        if (version !== undefined) return { handle, version };
        if (attempt >= OPEN_ATTEMPTS) return this.recognise(handle, bucket, key, record);
        await handle.close();
      }
      if (attempt > 1) await delay(OPEN_RETRY_MS);
    }
  }

  private missing(bucket: string, key: string): never {
    if (this.index.bucket(bucket) === undefined) throw errors.noSuchBucket(bucket);
    throw errors.noSuchKey(key);
  }

  private async openBody(bucket: string, record: ObjectRecord): Promise<FileHandle | undefined> {
    try {
      return await open(this.commits.bodyPath(bucket, record.current.path), 'r');
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  private async identify(handle: FileHandle, { current, settling }: ObjectRecord): Promise<ObjectVersion | undefined> {
    try {
      const file = await handle.stat({ bigint: true });
      const candidates = settling?.previous === undefined ? [current] : [current, settling.previous];
      return candidates.find((version) => isVersion(version, file));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * A file whose time is not the recorded one: somebody restored the folder from a copy that did not keep times, or
   * changed the file. Its content decides; a right one gets its new time recorded, a wrong one is never served.
   */
  private async recognise(
    handle: FileHandle,
    bucket: string,
    key: string,
    record: ObjectRecord,
  ): Promise<OpenedObject> {
    try {
      const { current } = record;
      const file = await handle.stat({ bigint: true });
      if (Number(file.size) !== current.size || (await contentEtag(handle, current)) !== current.etag)
        throw lost(bucket, key, record, 'was changed from outside');
      const version = await this.commits.amend(bucket, key, (now) =>
        now.stamp === current.stamp ? { ...now, stamp: String(file.mtimeNs) } : now,
      );
      if (!isVersion(version, file)) throw errors.slowDown();
      return { handle, version };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

function lost(bucket: string, key: string, record: ObjectRecord, what: string): S3Error {
  return new S3Error('InternalError', 'We encountered an internal error. Please try again.', {
    cause: new Error(`the stored file ${bucket}/${record.current.path} of key ${JSON.stringify(key)} ${what}`),
  });
}

/** The bytes of `range` (or all); takes the handle over and closes it. */
export async function readBody(
  { handle, version }: OpenedObject,
  range: ResolvedByteRange | undefined,
  signal: AbortSignal,
): Promise<ObjectBody> {
  const first = range?.first ?? 0;
  const length = (range?.last ?? version.size - 1) - first + 1;
  if (length > READ_AT_ONCE_BYTES)
    return handle.createReadStream({
      start: first,
      end: first + length - 1,
      highWaterMark: STREAM_CHUNK_BYTES,
      signal,
    });
  try {
    return await readExactly(handle, first, length);
  } finally {
    await handle.close();
  }
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new Error('a stored file became shorter while it was read');
    filled += bytesRead;
  }
  return bytes;
}

/** As a stream, for copying. */
export async function readBodyStream(
  opened: OpenedObject,
  range: ResolvedByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  const body = await readBody(opened, range, signal);
  return body instanceof Readable ? body : Readable.from(body.byteLength === 0 ? [] : [body], { objectMode: false });
}
