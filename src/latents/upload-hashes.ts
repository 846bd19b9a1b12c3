/** Hashes of an upload that clients keep in its metadata, and that say nothing true of a converted object. */
import type { UserMetadata } from '../../s3-api/index.js';

/** rclone's, of multipart uploads; it compares it with the local file. */
const RCLONE_MD5 = 'md5chksum';
/** s3cmd's `uid:0/md5:…/mtime:…`; the other attributes stay. */
const S3CMD_ATTRIBUTES = 's3cmd-attrs';

/** Metadata without the upload's hashes, which are not those of the PNG that is served in its place. */
export function withoutUploadHashes(metadata: UserMetadata): UserMetadata {
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([name, value]): [string, string][] => {
      if (name === RCLONE_MD5) return [];
      if (name !== S3CMD_ATTRIBUTES) return [[name, value]];
      const rest = value.split('/').filter((attribute) => !attribute.startsWith('md5:'));
      return rest.length === 0 ? [] : [[name, rest.join('/')]];
    }),
  );
}
