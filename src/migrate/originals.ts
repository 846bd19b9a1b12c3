/**
 * Where the original of an object lies while its container is not proven yet, and for good where the owner says so:
 * under a prefix of the same bucket, or among the versions of a bucket that keeps them.
 */
import { S3Error, type CopySource, type ObjectStore } from '../../s3-api/index.js';

/** Originals that are dropped as soon as the container is proven. */
export const STAGING_PREFIX = '.latentbox-migration/';

export interface OriginalsOptions {
  readonly store: ObjectStore;
  readonly bucket: string;
  /** The bucket keeps versions: nothing needs to be copied. */
  readonly versioned: boolean;
  /** Keep them for good under this prefix. */
  readonly keepUnder?: string;
}

export class Originals {
  constructor(private readonly options: OriginalsOptions) {}

  /** Prefixes that a listing of the bucket must pass over. */
  get ownPrefixes(): readonly string[] {
    const { keepUnder } = this.options;
    return keepUnder === undefined ? [STAGING_PREFIX] : [STAGING_PREFIX, keepUnder];
  }

  /** Undefined where the bucket's versions do it. */
  keyFor(key: string): string | undefined {
    const { keepUnder, versioned } = this.options;
    if (keepUnder !== undefined) return keepUnder + key;
    return versioned ? undefined : STAGING_PREFIX + key;
  }

  /** @throws S3Error PreconditionFailed where the object is another one by now */
  async keep(key: string, etag: string, originalKey: string, signal: AbortSignal): Promise<void> {
    const { store, bucket } = this.options;
    await store.copyObject({ bucket, key, conditions: { ifMatch: [etag] } }, bucket, originalKey, {}, signal);
  }

  /** Puts the original back in place of what was written instead. */
  async putBack(key: string, writtenEtag: string, originalKey: string, signal: AbortSignal): Promise<void> {
    const { store, bucket } = this.options;
    const source: CopySource = { bucket, key: originalKey };
    await store.copyObject(source, bucket, key, { conditions: { ifMatch: [writtenEtag] } }, signal);
  }

  /** The container is proven, or was never written: an original that only stood by is not needed any more. */
  async release(originalKey: string | undefined, signal: AbortSignal): Promise<void> {
    if (originalKey === undefined || !originalKey.startsWith(STAGING_PREFIX)) return;
    await this.options.store.deleteObject(this.options.bucket, originalKey, {}, signal);
  }
}

/** Whether a bucket keeps the version that an overwrite replaces. */
export async function keepsVersions(store: ObjectStore, bucket: string, signal: AbortSignal): Promise<boolean> {
  try {
    const document = await store.getBucketDocument(bucket, 'versioning', signal);
    return document !== undefined && /<Status>\s*Enabled\s*<\/Status>/.test(document);
  } catch (error) {
    if (error instanceof S3Error && error.code === 'NotImplemented') return false;
    throw error;
  }
}
