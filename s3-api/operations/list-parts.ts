/** ListParts. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
import { quoteEtag } from '../etag.js';
import { checksumElements } from '../headers/checksum-headers.js';
import type { Operation } from '../operation.js';
import { integerParameter } from '../s3-request.js';
import { xmlResponse } from '../s3-response.js';
import { keyEncoder, pageSize } from './listing-parameters.js';
import { uploadIdOf } from './upload-id.js';

const MAX_INT = 2_147_483_647;

export const listParts: Operation = async (request, { store, owner }, signal) => {
  const { type, encode } = keyEncoder(request);
  const uploadId = uploadIdOf(request);
  const maxParts = pageSize(request, 'max-parts');
  const marker = integerParameter(request, 'part-number-marker', { min: 0, max: MAX_INT }) ?? 0;
  const { upload, parts, isTruncated, nextPartNumberMarker } = await store.listParts(
    request.bucket,
    request.key,
    uploadId,
    { maxParts, partNumberMarker: marker },
    signal,
  );
  const who = { ID: owner.id, DisplayName: owner.displayName };
  return xmlResponse('ListPartsResult', {
    Bucket: request.bucket,
    Key: encode(request.key),
    UploadId: uploadId,
    EncodingType: type,
    Initiator: who,
    Owner: who,
    StorageClass: upload.storageClass ?? 'STANDARD',
    PartNumberMarker: marker,
    NextPartNumberMarker: nextPartNumberMarker ?? parts.at(-1)?.partNumber ?? 0,
    MaxParts: maxParts,
    IsTruncated: isTruncated,
    ChecksumAlgorithm: upload.checksumAlgorithm,
    ChecksumType: upload.checksumType,
    Part: parts.map((part) => ({
      PartNumber: part.partNumber,
      LastModified: part.lastModified,
      ETag: quoteEtag(part.etag),
      Size: part.size,
      ...checksumElements(part.checksums, false),
    })),
  });
};
