/** How the client's checksum goes on to the backing store. */
import type { Readable } from 'node:stream';
import type { RequestedChecksum } from '../../../s3-api/object-store.js';
import { checksumField } from './convert.js';

/**
 * The client's value where it is known by now; else the SDK computes it, in a trailer for streams.
 *
 * A stream always gets one, of the algorithm that S3 itself would take: with it the body is framed, and a connection
 * that breaks leaves a frame without an end. Without it some servers take what they got for the whole object
 * (versitygw 1.8 does, whatever Content-Length said).
 */
export function requestedChecksum(checksum: RequestedChecksum | undefined, body: Readable | Uint8Array) {
  if (checksum === undefined) return body instanceof Uint8Array ? {} : ({ ChecksumAlgorithm: 'CRC64NVME' } as const);
  const { algorithm } = checksum;
  const value = checksum.value();
  return value === undefined ? { ChecksumAlgorithm: algorithm } : checksumField({ algorithm, value });
}
