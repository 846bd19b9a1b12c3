/**
 * Checksums of multipart uploads: which kinds exist, and how each follows from the parts'.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
import { S3Error } from '../errors.js';
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from '../object-store.js';
import { combineCrcs, type CrcAlgorithm } from './crc-combine.js';
import { createHasher, decodeDigest } from './hashers.js';

const ALLOWED_TYPES: Record<ChecksumAlgorithm, readonly [standard: ChecksumType, ...others: ChecksumType[]]> = {
  CRC32: ['COMPOSITE', 'FULL_OBJECT'],
  CRC32C: ['COMPOSITE', 'FULL_OBJECT'],
  CRC64NVME: ['FULL_OBJECT'],
  SHA1: ['COMPOSITE'],
  SHA256: ['COMPOSITE'],
};

/** The type of a multipart upload's checksum. Throws InvalidRequest for a pair that S3 does not have. */
export function multipartChecksumType(algorithm: ChecksumAlgorithm, asked?: ChecksumType): ChecksumType {
  const allowed = ALLOWED_TYPES[algorithm];
  if (asked === undefined) return allowed[0];
  if (allowed.includes(asked)) return asked;
  throw new S3Error(
    'InvalidRequest',
    `The ${asked} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}

export interface PartChecksum {
  /** Base64 digest of the part. */
  readonly value: string;
  /** Bytes of the part. */
  readonly size: number;
}

/**
 * The whole object's checksum from its parts', in order: a digest of the digests with `-N` (composite), or the CRC of
 * all bytes (full object). Throws InvalidRequest for a pair that S3 does not have or a value that is no digest.
 */
export function multipartChecksum(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): ObjectChecksum {
  multipartChecksumType(algorithm, type);
  const digests = parts.map(({ value, size }) => {
    const crc = decodeDigest(algorithm, value);
    if (crc === undefined) throw new S3Error('InvalidRequest', `A part's ${algorithm} checksum is not valid.`);
    return { crc, size };
  });
  if (type === 'FULL_OBJECT') {
    return { algorithm, type, value: combineCrcs(crcAlgorithm(algorithm), digests).toString('base64') };
  }
  const hasher = createHasher(algorithm);
  for (const { crc } of digests) hasher.update(crc);
  return { algorithm, type, value: `${hasher.digest().toString('base64')}-${parts.length}` };
}

function crcAlgorithm(algorithm: ChecksumAlgorithm): CrcAlgorithm {
  if (algorithm === 'SHA1' || algorithm === 'SHA256') throw new RangeError(`${algorithm} cannot be combined`);
  return algorithm;
}
