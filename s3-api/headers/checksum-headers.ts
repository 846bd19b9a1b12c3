/** Checksum headers: what a client states and what an answer repeats. */
import { CHECKSUM_ALGORITHMS, checksumAlgorithmOf, checksumHeader } from '../checksums/index.js';
import { errors } from '../errors.js';
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from '../object-store.js';

/** `ChecksumCRC32` of CRC32, as XML names it. */
export function checksumElement(algorithm: ChecksumAlgorithm): `Checksum${ChecksumAlgorithm}` {
  return `Checksum${algorithm}`;
}

/** Reads an algorithm's name. Throws InvalidRequest as S3 words it. */
export function parseChecksumAlgorithm(value: string | undefined): ChecksumAlgorithm | undefined {
  if (value === undefined) return undefined;
  const algorithm = checksumAlgorithmOf(value);
  if (algorithm === undefined)
    throw errors.invalidRequest(
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    );
  return algorithm;
}

/** Reads `x-amz-checksum-type`. Throws InvalidRequest. */
export function parseChecksumType(value: string | undefined): ChecksumType | undefined {
  if (value === undefined) return undefined;
  if (value === 'FULL_OBJECT' || value === 'COMPOSITE') return value;
  throw errors.invalidRequest('Value for x-amz-checksum-type header is invalid.');
}

/** The one `x-amz-checksum-*` value among the headers, if any. */
export function statedChecksum(
  headers: ReadonlyMap<string, string>,
): { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = headers.get(checksumHeader(algorithm));
    if (value !== undefined) return { algorithm, value };
  }
  return undefined;
}

/** Checksums as response headers, with their type. */
export function checksumHeaders(checksums: readonly ObjectChecksum[] | undefined, into: Record<string, string>): void {
  for (const { algorithm, type, value } of checksums ?? []) {
    into[checksumHeader(algorithm)] = value;
    into['x-amz-checksum-type'] = type;
  }
}

/** Checksums as XML elements, with their type where `withType`. */
export function checksumElements(
  checksums: readonly ObjectChecksum[] | undefined,
  withType = true,
): Readonly<Record<string, string>> {
  const elements: Record<string, string> = {};
  for (const { algorithm, type, value } of checksums ?? []) {
    elements[checksumElement(algorithm)] = value;
    if (withType) elements['ChecksumType'] = type;
  }
  return elements;
}
