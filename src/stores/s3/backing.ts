/** The backing store as its operations see it: a client, and the names that things have over there. */
import type { CopySource, ReadOptions } from '../../../s3-api/object-store.js';
import type { BackingClient } from './backing-client.js';
import type { BucketNames } from './bucket-names.js';
import { etagList } from './convert.js';

export class Backing {
  constructor(
    readonly client: BackingClient,
    readonly names: BucketNames,
  ) {}

  bucket(bucket: string) {
    return { Bucket: this.names.toBacking(bucket) };
  }

  object(bucket: string, key: string) {
    return { Bucket: this.names.toBacking(bucket), Key: key };
  }

  part(bucket: string, key: string, uploadId: string, partNumber: number) {
    return { ...this.object(bucket, key), UploadId: uploadId, PartNumber: partNumber };
  }

  /** The source of a copy, percent-encoded as its header wants it, with its conditions. */
  copySource({ bucket, key, versionId, conditions = {} }: CopySource) {
    const path = `${this.names.toBacking(bucket)}/${key}`.split('/').map(encodeURIComponent).join('/');
    const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
    return {
      CopySource: versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`,
      ...(ifMatch && { CopySourceIfMatch: etagList(ifMatch) }),
      ...(ifNoneMatch && { CopySourceIfNoneMatch: etagList(ifNoneMatch) }),
      ...(ifModifiedSince && { CopySourceIfModifiedSince: ifModifiedSince }),
      ...(ifUnmodifiedSince && { CopySourceIfUnmodifiedSince: ifUnmodifiedSince }),
    };
  }
}

/**
 * Headers of a read. `x-amz-checksum-mode` goes as a bare header: as a parameter it would make the SDK hash every body,
 * and the client that gets the checksum checks it anyway. A range has no checksum of its own.
 */
export function readHeaders({ passThroughHeaders, range, partNumber }: ReadOptions): Record<string, string> {
  const whole = range === undefined && partNumber === undefined;
  return { ...passThroughHeaders, ...(whole && { 'x-amz-checksum-mode': 'ENABLED' }) };
}
