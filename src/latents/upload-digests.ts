/** Hashes of the uploaded bytes that clients keep in metadata and compare downloads with: untrue of a decoded picture. */
import type { UserMetadata } from '../../s3-api/index.js';

/** rclone's, of uploads in parts. @see https://rclone.org/s3/#metadata */
const RCLONE_MD5 = 'md5chksum';
/** s3cmd's `name:value/name:value` of the file, its `md5` among them. */
const S3CMD_ATTRIBUTES = 's3cmd-attrs';

/** The client's metadata without the hashes; everything else of it stays. */
export function withoutUploadDigests(metadata: UserMetadata): UserMetadata {
  if (metadata[RCLONE_MD5] === undefined && metadata[S3CMD_ATTRIBUTES] === undefined) return metadata;
  const { [RCLONE_MD5]: _digest, [S3CMD_ATTRIBUTES]: attributes, ...rest } = metadata;
  if (attributes === undefined) return rest;
  const others = attributes.split('/').filter((attribute) => !attribute.startsWith('md5:'));
  return others.length > 0 ? { ...rest, [S3CMD_ATTRIBUTES]: others.join('/') } : rest;
}
