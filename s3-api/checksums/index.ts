/** Checksums of S3 objects: incremental hashers and the arithmetic of multipart uploads. */
export {
  CHECKSUM_ALGORITHMS,
  checksumAlgorithmOf,
  checksumHeader,
  createHasher,
  decodeDigest,
  DIGEST_BYTES,
  type DigestAlgorithm,
} from './hashers.js';
export type { Hasher } from './hasher.js';
export { combineCrcs, type CrcAlgorithm, type CrcPiece } from './crc-combine.js';
export { multipartChecksum, multipartChecksumType, type PartChecksum } from './multipart.js';
