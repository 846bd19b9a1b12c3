/** CreateMultipartUpload. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
import { multipartChecksumType } from '../checksums/index.js';
import { errors } from '../errors.js';
import { parseChecksumAlgorithm, parseChecksumType } from '../headers/checksum-headers.js';
import type { ChecksumAlgorithm, ChecksumType } from '../object-store.js';
import type { Operation } from '../operation.js';
import { xmlResponse } from '../s3-response.js';
import { newObjectOptions } from './write-options.js';

export const createMultipartUpload: Operation = async (request, { store }, signal) => {
  const { bucket, key, headers } = request;
  const checksum = uploadChecksum(headers);
  const upload = await store.createMultipartUpload(bucket, key, { ...newObjectOptions(headers), ...checksum }, signal);
  return xmlResponse(
    'InitiateMultipartUploadResult',
    { Bucket: bucket, Key: key, UploadId: upload.uploadId },
    {
      ...(checksum.checksumAlgorithm !== undefined && { 'x-amz-checksum-algorithm': checksum.checksumAlgorithm }),
      ...(checksum.checksumType !== undefined && { 'x-amz-checksum-type': checksum.checksumType }),
    },
  );
};

function uploadChecksum(headers: ReadonlyMap<string, string>): {
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly checksumType?: ChecksumType;
} {
  const algorithm = parseChecksumAlgorithm(headers.get('x-amz-checksum-algorithm'));
  const asked = parseChecksumType(headers.get('x-amz-checksum-type'));
  if (algorithm === undefined) {
    if (asked !== undefined)
      throw errors.invalidRequest(
        'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      );
    return {};
  }
  return { checksumAlgorithm: algorithm, checksumType: multipartChecksumType(algorithm, asked) };
}
