/** Checksums as the in-memory store keeps them. */
import { createHasher } from '../checksums/index.js';
import type { ChecksumAlgorithm, ObjectChecksum, RequestedChecksum } from '../object-store.js';
import { DEFAULT_CHECKSUM } from './memory-objects.js';

export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): ObjectChecksum {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return { algorithm, type: 'FULL_OBJECT', value: hasher.digest().toString('base64') };
}

/** The client's checksum, or the one that S3 computes itself. */
export function writtenChecksums(
  bytes: Uint8Array,
  requested: RequestedChecksum | undefined,
): readonly ObjectChecksum[] {
  return [checksumOf(requested?.algorithm ?? DEFAULT_CHECKSUM, bytes)];
}
