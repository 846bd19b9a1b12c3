/** What the in-memory store keeps, and the lookups that all of its parts share. */
import type { Readable } from 'node:stream';
import { errors } from '../errors.js';
import type {
  BucketDocument,
  ChecksumAlgorithm,
  CreateMultipartOptions,
  MultipartUpload,
  ObjectChecksum,
  ObjectInfo,
  ObjectPart,
  PartInfo,
  SystemMetadata,
  TagSet,
  UserMetadata,
} from '../object-store.js';

export interface StoredObject {
  readonly key: string;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly lastModified: Date;
  readonly systemMetadata: SystemMetadata;
  readonly userMetadata: UserMetadata;
  readonly tags: TagSet;
  readonly checksums: readonly ObjectChecksum[];
  readonly parts: readonly ObjectPart[];
  readonly storageClass?: string;
}

export interface StoredUpload {
  readonly upload: MultipartUpload;
  readonly options: CreateMultipartOptions;
  readonly parts: Map<number, PartInfo & { readonly bytes: Buffer }>;
}

export interface MemoryBucket {
  readonly name: string;
  readonly creationDate: Date;
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, StoredUpload>;
  readonly documents: Map<BucketDocument, string>;
}

export function infoOf(object: StoredObject): ObjectInfo {
  const { key, bytes, etag, lastModified, systemMetadata, userMetadata, tags, checksums, parts, storageClass } = object;
  return {
    key,
    size: bytes.length,
    etag,
    lastModified,
    systemMetadata,
    userMetadata,
    checksums,
    tagCount: Object.keys(tags).length,
    ...(parts.length > 0 && { partsCount: parts.length }),
    ...(storageClass !== undefined && { storageClass }),
  };
}

/** S3 computes this one itself where the client names none. */
export const DEFAULT_CHECKSUM = 'CRC64NVME' satisfies ChecksumAlgorithm;

export abstract class MemoryObjects {
  protected readonly buckets = new Map<string, MemoryBucket>();

  protected bucket(name: string): MemoryBucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw errors.noSuchBucket(name);
    return bucket;
  }

  protected object(bucket: string, key: string, versionId?: string): StoredObject {
    const object = this.bucket(bucket).objects.get(key);
    if (versionId !== undefined && versionId !== 'null')
      throw errors.invalidArgument('versionId', versionId, 'Invalid version id specified');
    if (object === undefined) throw errors.noSuchKey(key);
    return object;
  }

  protected async readAll(body: Readable, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}
