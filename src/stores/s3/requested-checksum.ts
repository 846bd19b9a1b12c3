/** How the client's checksum goes on to the backing store. */
import type { RequestedChecksum } from '../../../s3-api/object-store.js';
import { checksumField } from './convert.js';

/** The client's value where it is known by now; else the SDK computes it, in a trailer for streams. */
export function requestedChecksum(checksum: RequestedChecksum | undefined) {
  if (checksum === undefined) return {};
  const { algorithm } = checksum;
  const value = checksum.value();
  return value === undefined ? { ChecksumAlgorithm: algorithm } : checksumField({ algorithm, value });
}
