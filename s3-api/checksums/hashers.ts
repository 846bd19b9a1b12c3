/** Incremental digests of every kind that S3 knows, behind one interface. */
import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ChecksumAlgorithm } from '../object-store.js';
import type { Hasher } from './hasher.js';
import { createWasmCrc } from './wasm-crc.js';

export type DigestAlgorithm = ChecksumAlgorithm | 'MD5';

/** Length of each digest in bytes. */
export const DIGEST_BYTES = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
  MD5: 16,
} as const satisfies Record<DigestAlgorithm, number>;

export const CHECKSUM_ALGORITHMS: readonly ChecksumAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'];

/** A fresh hasher. Cheap: nothing is allocated but its state. */
export function createHasher(algorithm: DigestAlgorithm): Hasher {
  switch (algorithm) {
    case 'CRC32':
      return zlibCrc32();
    case 'CRC32C':
    case 'CRC64NVME':
      return createWasmCrc(algorithm);
    case 'SHA1':
    case 'SHA256':
    case 'MD5':
      return nodeHash(createHash(algorithm));
  }
}

/** Reads `crc32`, `CRC32C`, … in any case; undefined for what S3 does not know. */
export function checksumAlgorithmOf(name: string): ChecksumAlgorithm | undefined {
  const upper = name.trim().toUpperCase();
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === upper);
}

/** `x-amz-checksum-crc32` and the like. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The bytes of a base64 digest, or undefined where it is not canonical base64 of this algorithm's length. */
export function decodeDigest(algorithm: DigestAlgorithm, base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length === DIGEST_BYTES[algorithm] && bytes.toString('base64') === base64 ? bytes : undefined;
}

function nodeHash(hash: Hash): Hasher {
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

function zlibCrc32(): Hasher {
  let value = 0;
  return {
    update: (bytes) => {
      value = crc32(bytes, value);
    },
    digest: () => {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}
