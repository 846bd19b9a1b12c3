/** The parts of uploads that may be read before Complete, each an object of its own. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { mapWithLimit } from '../../../../s3-api/map-with-limit.js';
import { S3Error } from '../../../../s3-api/errors.js';
import type { PartInfo, UploadPartOptions } from '../../../../s3-api/object-store.js';
import type { Backing } from '../backing.js';
import { unquote } from '../convert.js';
import { getObject, headObject } from '../read-objects.js';
import { deleteObject, putObject } from '../write-objects.js';
import { partKey, partNumberOf, STAGING_PREFIX, uploadFolder } from './staging-keys.js';

const CONCURRENT_REQUESTS = 16;

export interface StagedFolder {
  readonly keys: readonly string[];
  readonly newest: Date;
}

export class StagedParts {
  constructor(private readonly backing: Backing) {}

  async put(
    bucket: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    { contentLength, checksum, passThroughHeaders }: UploadPartOptions & { readonly contentLength: number },
    signal: AbortSignal,
  ): Promise<PartInfo> {
    const key = partKey(uploadId, partNumber);
    const { etag, checksums } = await putObject(
      this.backing,
      bucket,
      key,
      body,
      {
        contentLength,
        systemMetadata: {},
        userMetadata: {},
        ...(checksum !== undefined && { checksum }),
        ...(passThroughHeaders !== undefined && { passThroughHeaders }),
      },
      signal,
    );
    return { partNumber, size: contentLength, etag, lastModified: new Date(), ...(checksums && { checksums }) };
  }

  /** In order of their numbers, without checksums. */
  async list(bucket: string, uploadId: string, signal: AbortSignal): Promise<PartInfo[]> {
    const parts: PartInfo[] = [];
    for await (const entry of this.#entries(bucket, uploadFolder(uploadId), signal)) {
      const partNumber = partNumberOf(entry.Key);
      if (partNumber !== undefined)
        parts.push({ partNumber, size: entry.Size, etag: unquote(entry.ETag), lastModified: entry.LastModified });
    }
    return parts.sort((a, b) => a.partNumber - b.partNumber);
  }

  /** Everything that any upload of the bucket has staged. */
  async removeAll(bucket: string, signal: AbortSignal): Promise<boolean> {
    const folders = await this.folders(bucket, signal);
    for (const { keys } of folders) await this.removeKeys(bucket, keys, signal);
    return folders.length > 0;
  }

  /** What lies staged in the bucket, by upload. */
  async folders(bucket: string, signal: AbortSignal): Promise<StagedFolder[]> {
    const folders = new Map<string, { keys: string[]; newest: Date }>();
    for await (const { Key, LastModified } of this.#entries(bucket, STAGING_PREFIX, signal)) {
      const name = Key.slice(0, Key.lastIndexOf('/'));
      const folder = folders.get(name) ?? { keys: [], newest: LastModified };
      folder.keys.push(Key);
      if (LastModified > folder.newest) folder.newest = LastModified;
      folders.set(name, folder);
    }
    return [...folders.values()];
  }

  async removeKeys(bucket: string, keys: readonly string[], signal: AbortSignal): Promise<void> {
    await mapWithLimit(keys, CONCURRENT_REQUESTS, (key) => deleteObject(this.backing, bucket, key, {}, signal));
  }

  async *#entries(bucket: string, prefix: string, signal: AbortSignal) {
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        ...this.backing.bucket(bucket),
        Prefix: prefix,
        ...(token !== undefined && { ContinuationToken: token }),
      });
      const output = await this.backing.client.send(command, { signal, bucket });
      for (const { Key = '', Size = 0, ETag = '', LastModified = new Date(0) } of output.Contents ?? [])
        yield { Key, Size, ETag, LastModified };
      token = output.NextContinuationToken;
    } while (token !== undefined && token !== '');
  }

  /** The same parts with their checksums, which a listing does not tell; without those that are gone. */
  async describe(
    bucket: string,
    uploadId: string,
    parts: readonly PartInfo[],
    signal: AbortSignal,
  ): Promise<PartInfo[]> {
    const described = await mapWithLimit(parts, CONCURRENT_REQUESTS, async (part) => {
      try {
        const { info } = await headObject(this.backing, bucket, partKey(uploadId, part.partNumber), {}, signal);
        const { size, etag, lastModified, checksums } = info;
        return { ...part, size, etag, lastModified, ...(checksums && { checksums }) };
      } catch (error) {
        if (error instanceof S3Error && error.code === 'NoSuchKey') return undefined;
        throw error;
      }
    });
    return described.filter((part) => part !== undefined);
  }

  /** The bytes of the parts, one after another. Fails with NoSuchKey or PreconditionFailed where a part goes or changes. */
  async *read(
    bucket: string,
    uploadId: string,
    parts: readonly PartInfo[],
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    for (const { partNumber, etag } of parts) {
      const conditions = { ifMatch: [etag] };
      const { body } = await getObject(this.backing, bucket, partKey(uploadId, partNumber), { conditions }, signal);
      if (body instanceof Uint8Array) yield body;
      else yield* body as AsyncIterable<Uint8Array>;
    }
  }

  async remove(
    bucket: string,
    uploadId: string,
    parts: readonly Pick<PartInfo, 'partNumber'>[],
    signal: AbortSignal,
  ): Promise<void> {
    await mapWithLimit(parts, CONCURRENT_REQUESTS, ({ partNumber }) =>
      deleteObject(this.backing, bucket, partKey(uploadId, partNumber), {}, signal),
    );
  }
}
