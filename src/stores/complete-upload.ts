/** CompleteMultipartUpload's rules: which parts may be joined, and which checksum the whole has. */
import { decodeDigest, multipartChecksum } from '../../s3-api/checksums/index.js';
import { errors, S3Error } from '../../s3-api/errors.js';
import type {
  ChecksumType,
  CompletedPart,
  CompleteMultipartOptions,
  MultipartUpload,
  ObjectChecksum,
  PartInfo,
  RequestedChecksum,
} from '../../s3-api/object-store.js';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_BYTES = 5 * 1024 * 1024;

type Upload = Pick<MultipartUpload, 'uploadId' | 'checksumAlgorithm' | 'checksumType'>;
type Part = Pick<PartInfo, 'partNumber' | 'size' | 'etag' | 'checksums'>;

/**
 * The stored parts that the client lists. Throws InvalidPartOrder, InvalidPart, EntityTooSmall, or InvalidRequest
 * where `mpuObjectSize` is not their sum or a checksum that the upload asks for is missing.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export function selectParts<P extends Part>(
  upload: Upload,
  stored: readonly P[],
  asked: readonly CompletedPart[],
  options: CompleteMultipartOptions,
): P[] {
  const byNumber = new Map(stored.map((part) => [part.partNumber, part]));
  requireChecksumType(upload, options.checksumType);
  const ascending = asked.every((part, i) => part.partNumber > (asked[i - 1]?.partNumber ?? 0));
  if (!ascending) throw errors.invalidPartOrder(upload.uploadId);
  const selected = asked.map((part) => {
    const found = byNumber.get(part.partNumber);
    if (found?.etag !== part.etag) throw errors.invalidPart(upload.uploadId, part.partNumber, part.etag);
    checkPartChecksums(upload, found, part);
    return found;
  });
  for (const { partNumber, size, etag } of selected.slice(0, -1)) {
    if (size < MIN_PART_BYTES) throw errors.entityTooSmall(partNumber, size, MIN_PART_BYTES, etag);
  }
  const size = selected.reduce((sum, part) => sum + part.size, 0);
  if (options.mpuObjectSize !== undefined && options.mpuObjectSize !== size)
    throw errors.invalidRequest('The provided x-amz-mp-object-size does not match the sum of the sizes of the parts.');
  return selected;
}

/**
 * Throws InvalidRequest where a part's checksum is of another kind than its upload's, or is missing from an upload whose
 * checksum is composed of its parts'.
 */
export function requireChecksumKind(
  { checksumAlgorithm: expected, checksumType }: Upload & Pick<MultipartUpload, 'checksumType'>,
  actual: RequestedChecksum | undefined,
): void {
  if (expected === undefined || actual?.algorithm === expected) return;
  if (actual === undefined && checksumType !== 'COMPOSITE') return;
  throw errors.invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${actual?.algorithm.toLowerCase() ?? 'null'}`,
  );
}

function requireChecksumType({ checksumType: own }: Upload, stated: ChecksumType | undefined): void {
  if (own === undefined || stated === undefined || own === stated) return;
  throw errors.invalidRequest(
    `The upload was created using the ${own} checksum mode. The complete request must use the same checksum mode.`,
  );
}

function checkPartChecksums(upload: Upload, found: Part, asked: CompletedPart): void {
  for (const { algorithm, value } of asked.checksums ?? []) {
    const own = found.checksums?.find((checksum) => checksum.algorithm === algorithm);
    if (own !== undefined && own.value !== value)
      throw errors.invalidPart(upload.uploadId, asked.partNumber, asked.etag);
  }
  const { checksumAlgorithm, checksumType } = upload;
  if (checksumAlgorithm === undefined || checksumType !== 'COMPOSITE') return;
  if (asked.checksums?.some(({ algorithm }) => algorithm === checksumAlgorithm) === true) return;
  throw errors.invalidRequest(
    `The upload was created using a ${checksumAlgorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${asked.partNumber} in the request.`,
  );
}

/**
 * `undefined` where the client gave parts checksums of several kinds without having announced one. Throws BadDigest where
 * the client states another.
 */
export function checksumOfWhole(
  upload: Upload,
  parts: readonly Part[],
  stated: CompleteMultipartOptions['checksum'],
): ObjectChecksum | undefined {
  const checksum = joinedChecksum(upload, parts);
  checkWhole(checksum, stated);
  return checksum;
}

function joinedChecksum(upload: Upload, parts: readonly Part[]): ObjectChecksum | undefined {
  const algorithm = upload.checksumAlgorithm ?? parts[0]?.checksums?.[0]?.algorithm;
  if (algorithm === undefined) return undefined;
  const pieces = parts.flatMap(({ size, checksums }) =>
    (checksums ?? []).filter((checksum) => checksum.algorithm === algorithm).map(({ value }) => ({ value, size })),
  );
  if (pieces.length !== parts.length) return undefined;
  const type = upload.checksumType ?? (algorithm.startsWith('SHA') ? 'COMPOSITE' : 'FULL_OBJECT');
  return multipartChecksum(algorithm, type, pieces);
}

function checkWhole(actual: ObjectChecksum | undefined, stated: CompleteMultipartOptions['checksum']): void {
  if (stated === undefined || actual === undefined) return;
  if (stated.algorithm !== actual.algorithm || (stated.type !== undefined && stated.type !== actual.type))
    throw errors.invalidRequest(
      `The upload has a ${actual.type} ${actual.algorithm} checksum; the request names another kind.`,
    );
  // A composite value is stated with or without its number of parts.
  const plain = stated.value.replace(/-\d+$/, '');
  if (decodeDigest(stated.algorithm, plain) === undefined)
    throw errors.invalidRequest(`Value for x-amz-checksum-${stated.algorithm.toLowerCase()} header is invalid.`);
  if (plain !== actual.value.replace(/-\d+$/, ''))
    throw new S3Error(
      'BadDigest',
      `The ${stated.algorithm.toLowerCase()} you specified did not match what we received.`,
    );
}
