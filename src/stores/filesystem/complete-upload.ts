/** What the filesystem store records of an object that was uploaded in parts. */
import type { CompleteMultipartOptions } from '../../../s3-api/object-store.js';
import { checksumOfWhole } from '../complete-upload.js';
import { multipartEtag } from './content-etag.js';
import type { VersionFacts } from './object-commits.js';
import type { PartRecord, UploadRecord } from './records.js';

/** Everything about the finished object but its body. Throws BadDigest where the client's checksum of the whole differs. */
export function completedFacts(
  upload: UploadRecord,
  parts: readonly PartRecord[],
  options: CompleteMultipartOptions,
): VersionFacts {
  const { systemMetadata, userMetadata, tags, storageClass, uploadId } = upload;
  const checksum = checksumOfWhole(upload, parts, options.checksum);
  return {
    etag: multipartEtag(parts.map(({ etag }) => etag)),
    systemMetadata,
    userMetadata,
    ...(tags !== undefined && { tags }),
    ...(storageClass !== undefined && { storageClass }),
    ...(checksum !== undefined && { checksums: [checksum] }),
    parts: parts.map(({ partNumber, size, checksums }) => ({
      partNumber,
      size,
      ...(upload.checksumAlgorithm !== undefined && checksums !== undefined && { checksums }),
    })),
    uploadId,
  };
}
