/** Writes a body to a staged file while it is being hashed: the first half of every write. */
import { rm, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createHasher } from '../../../s3-api/checksums/index.js';
import { S3Error } from '../../../s3-api/errors.js';
import type { ChecksumAlgorithm, ObjectChecksum, RequestedChecksum } from '../../../s3-api/object-store.js';
import type { Stamps } from './stamps.js';
import type { StagingArea } from './staging-area.js';

/** Bytes gathered before one write: fewer trips to the thread pool, and bounded memory an upload. */
const WRITE_BATCH_BYTES = 1 << 20;

/** A complete body on the disk, flushed, that nobody sees yet. */
export interface StagedBody {
  readonly path: string;
  /** See `ObjectVersion.stamp`. */
  readonly stamp: string;
  /** ms since the epoch. */
  readonly lastModified: number;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly md5: string;
  /** Of the whole body. */
  readonly checksum: ObjectChecksum;
}

export interface StagingOptions {
  readonly contentLength?: number;
  /** What to compute. A value that the client gave must agree. */
  readonly checksum: RequestedChecksum | ChecksumAlgorithm;
}

/**
 * Consumes `body` into a new staged file. Rejects with the body's own error, with IncompleteBody where it is shorter or
 * longer than announced, BadDigest where it is not what the client's checksum says; nothing is left then.
 */
export async function stageBody(
  body: Readable,
  options: StagingOptions,
  staging: StagingArea,
  stamps: Stamps,
  signal: AbortSignal,
): Promise<StagedBody> {
  const { path, handle } = await openStaged(body, staging);
  try {
    const algorithm = typeof options.checksum === 'string' ? options.checksum : options.checksum.algorithm;
    const md5 = createHasher('MD5');
    const hasher = createHasher(algorithm);
    const size = await writeAll(
      handle,
      body,
      (chunk) => {
        md5.update(chunk);
        hasher.update(chunk);
      },
      signal,
    );
    checkLength(size, options.contentLength);
    const value = hasher.digest().toString('base64');
    const stated = typeof options.checksum === 'string' ? undefined : options.checksum.value();
    if (stated !== undefined && stated !== value)
      throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
    const { stamp, lastModified } = await stamps.put(handle);
    await handle.sync();
    await handle.close();
    return {
      path,
      stamp,
      lastModified,
      size,
      md5: md5.digest().toString('hex'),
      checksum: { algorithm, type: 'FULL_OBJECT', value },
    };
  } catch (error) {
    await handle.close();
    await rm(path, { force: true });
    throw error;
  }
}

async function openStaged(body: Readable, staging: StagingArea) {
  try {
    return await staging.create();
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** Appends a whole stream to the file; gives the number of bytes. */
export async function writeAll(
  handle: FileHandle,
  body: Readable,
  onChunk: (chunk: Uint8Array) => void,
  signal: AbortSignal,
): Promise<number> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let size = 0;
  const flush = async () => {
    await writeFully(handle, pending, pendingBytes, size - pendingBytes);
    pending = [];
    pendingBytes = 0;
  };
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    signal.throwIfAborted();
    onChunk(chunk);
    pending.push(chunk);
    pendingBytes += chunk.byteLength;
    size += chunk.byteLength;
    if (pendingBytes >= WRITE_BATCH_BYTES) await flush();
  }
  signal.throwIfAborted();
  if (pendingBytes > 0) await flush();
  return size;
}

/** A single writev may write less than it was given (writev(2)). */
async function writeFully(handle: FileHandle, chunks: Uint8Array[], bytes: number, position: number): Promise<void> {
  let { bytesWritten } = await handle.writev(chunks, position);
  if (bytesWritten === bytes) return;
  const rest = Buffer.concat(chunks);
  while (bytesWritten < bytes) {
    const written = await handle.write(rest, bytesWritten, bytes - bytesWritten, position + bytesWritten);
    bytesWritten += written.bytesWritten;
  }
}

function checkLength(size: number, announced: number | undefined): void {
  if (announced === undefined || size === announced) return;
  throw new S3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
    { fields: { NumberBytesExpected: String(announced), NumberBytesProvided: String(size) } },
  );
}
