/** What the metadata index holds, as JSON: one record an object, bucket, upload and part. */
import type {
  BucketDocument,
  ChecksumAlgorithm,
  ChecksumType,
  ObjectChecksum,
  ObjectPart,
  SystemMetadata,
  TagSet,
  UserMetadata,
} from '../../../s3-api/object-store.js';

/** Everything about one state of an object but its bytes. */
export interface ObjectVersion {
  /** Path of the body below the bucket's folder; it stays the same for as long as the key lives. */
  readonly path: string;
  /** Modification time of the body's file in ns since the epoch, decimal: it says which version the file at `path` is. */
  readonly stamp: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ms since the epoch. */
  readonly lastModified: number;
  readonly systemMetadata: SystemMetadata;
  readonly userMetadata: UserMetadata;
  readonly tags?: TagSet;
  readonly checksums?: readonly ObjectChecksum[];
  /** In order, without gaps in the bytes; absent for a plain PUT. */
  readonly parts?: readonly ObjectPart[];
  /** The upload that made it: a repeated Complete is answered from here. */
  readonly uploadId?: string;
  readonly storageClass?: string;
}

export interface ObjectRecord {
  readonly current: ObjectVersion;
  /**
   * Present from just before the body's rename until just after it. Meanwhile the file's stamp decides whether the
   * object is `current` or `previous` (absent: there was none).
   */
  readonly settling?: { readonly previous?: ObjectVersion };
}

export interface BucketRecord {
  /** ms since the epoch. */
  readonly creationDate: number;
  readonly documents?: Readonly<Partial<Record<BucketDocument, string>>>;
}

export interface UploadRecord {
  readonly key: string;
  readonly uploadId: string;
  /** ms since the epoch. */
  readonly initiated: number;
  readonly systemMetadata: SystemMetadata;
  readonly userMetadata: UserMetadata;
  readonly tags?: TagSet;
  readonly storageClass?: string;
  /** What the client asked for; absent: the store computes CRC64NVME of the whole. */
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly checksumType?: ChecksumType;
  /** What whoever opens the upload before Complete finds again. */
  readonly context?: Readonly<Record<string, string>>;
}

export interface PartRecord {
  readonly partNumber: number;
  /** Name of the part's file in the upload's folder. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  /** ms since the epoch. */
  readonly lastModified: number;
  readonly checksums?: readonly ObjectChecksum[];
}

/** Where a body may have to be tidied up after a crash: `bucket`, `key` and the path below the bucket's folder. */
export interface UnsettledRecord {
  readonly bucket: string;
  readonly key: string;
  readonly path: string;
}
