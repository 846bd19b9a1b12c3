/** What the contract's chapters share: a store to try, its stated limits, and bodies to put in. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { it } from 'vitest';
import type { ObjectBody, ObjectStore, WriteOptions } from '../../../../s3-api/object-store.js';

/**
 * What a store may be unable to hold because of the server behind it. `true`: it can. A string: it cannot, and why; its
 * tests are then reported as skipped under a name that says so.
 */
export interface StoreLimits {
  /** `a` and `a/b` at once. */
  readonly keysInsideKeys: true | string;
  /** `a//b`, `/a`, `..`, control characters, segments over 255 bytes. */
  readonly oddKeys: true | string;
  /** `a/` with bytes in it. */
  readonly folderKeysWithBytes: true | string;
  /** Tags that go with the object that they were set on. */
  readonly tagsReplaced: true | string;
  /** CRC64NVME computed where the client names no algorithm. */
  readonly defaultChecksum: true | string;
  /** If-Match and If-None-Match on PUT, Complete and DELETE. */
  readonly conditionalWrites: true | string;
  /** A repeated CompleteMultipartUpload is answered again. */
  readonly repeatedComplete: true | string;
  /** A copy of an object onto itself with nothing changed is refused. */
  readonly refusesIdleCopy: true | string;
  /** `partNumber` on GET and HEAD. */
  readonly partReads: true | string;
  /** Composite and full-object checksums of multipart uploads. */
  readonly multipartChecksums: true | string;
  /** GetObjectAttributes of the parts of a finished upload. */
  readonly objectParts: true | string;
  /** The bucket documents cors, tagging, policy and encryption, kept as written. */
  readonly documents: true | string;
}

export const NO_LIMITS: StoreLimits = {
  keysInsideKeys: true,
  oddKeys: true,
  folderKeysWithBytes: true,
  tagsReplaced: true,
  defaultChecksum: true,
  conditionalWrites: true,
  repeatedComplete: true,
  refusesIdleCopy: true,
  partReads: true,
  multipartChecksums: true,
  objectParts: true,
  documents: true,
};

export interface ContractContext {
  readonly store: () => ObjectStore;
  readonly limits: StoreLimits;
  /** A fresh bucket each time. */
  readonly makeBucket: () => Promise<string>;
}

/** `it`, or a named skip where the server behind the store has that limit. */
export function itNeeds(context: ContractContext, limit: keyof StoreLimits) {
  const state = context.limits[limit];
  return (name: string, action: () => Promise<void>) => {
    if (state === true) it(name, action);
    else it.skip(`${name} [limit of the server: ${state}]`, action);
  };
}

/** A client that stays connected. */
export const connected: AbortSignal = new AbortController().signal;

export const PLAIN: WriteOptions = { systemMetadata: {}, userMetadata: {} };

/** A body in chunks of `chunkBytes`. */
export function bodyOf(bytes: Uint8Array | string, chunkBytes = 65_536): Readable {
  const buffer = Buffer.from(bytes);
  const chunks: Buffer[] = [];
  for (let i = 0; i < buffer.length; i += chunkBytes) chunks.push(buffer.subarray(i, i + chunkBytes));
  return Readable.from(chunks, { objectMode: false });
}

/** A body that delivers `bytes` and then fails. */
export function failingBody(bytes: Uint8Array | string, error: Error): Readable {
  async function* generate(): AsyncGenerator<Buffer> {
    yield Buffer.from(bytes);
    await Promise.resolve();
    throw error;
  }
  return Readable.from(generate(), { objectMode: false });
}

export async function bytesOf(body: ObjectBody): Promise<Buffer> {
  if (!(body instanceof Readable)) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Bytes that do not compress and that a seed brings back. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i + 4 <= length; i += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeUInt32LE(state >>> 0, i);
  }
  return bytes;
}

export function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

export async function put(
  store: ObjectStore,
  bucket: string,
  key: string,
  bytes: Uint8Array | string,
  options: Partial<WriteOptions> = {},
) {
  return store.putObject(
    bucket,
    key,
    bodyOf(bytes),
    { ...PLAIN, contentLength: Buffer.byteLength(bytes), ...options },
    connected,
  );
}

export async function read(store: ObjectStore, bucket: string, key: string): Promise<Buffer> {
  return bytesOf((await store.getObject(bucket, key, {}, connected)).body);
}

export async function keysOf(store: ObjectStore, bucket: string): Promise<string[]> {
  const listing = await store.listObjects(bucket, { maxKeys: 1000 }, connected);
  return listing.objects.map(({ key }) => key);
}
