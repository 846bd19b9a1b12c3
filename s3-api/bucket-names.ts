/** Names of buckets and keys. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
import { errors, S3Error } from './errors.js';

const MAX_KEY_BYTES = 1024;
const RESERVED_PREFIXES = ['xn--', 'sthree-', 'amzn-s3-demo-'];
const RESERVED_SUFFIXES = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'];

/** Throws InvalidBucketName where a new bucket may not have this name. */
export function requireBucketName(bucket: string): void {
  const valid =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) &&
    !/\.\.|^\d{1,3}(?:\.\d{1,3}){3}$/.test(bucket) &&
    !RESERVED_PREFIXES.some((prefix) => bucket.startsWith(prefix)) &&
    !RESERVED_SUFFIXES.some((suffix) => bucket.endsWith(suffix));
  if (!valid) throw errors.invalidBucketName(bucket);
}

/** Throws InvalidBucketName where no bucket, however old, can have this name. */
export function requirePossibleBucketName(bucket: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/.test(bucket)) throw errors.invalidBucketName(bucket);
}

/** Throws KeyTooLongError beyond 1024 bytes of UTF-8. */
export function requireKeyLength(key: string): void {
  // A UTF-16 unit is at most three bytes: short keys need no count.
  if (key.length * 3 <= MAX_KEY_BYTES) return;
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES)
    throw new S3Error('KeyTooLongError', 'Your key is too long', {
      fields: { Size: String(size), MaxSizeAllowed: String(MAX_KEY_BYTES) },
    });
}
