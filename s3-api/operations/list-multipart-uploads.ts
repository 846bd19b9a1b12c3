/** ListMultipartUploads. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
import type { Operation } from '../operation.js';
import { xmlResponse } from '../s3-response.js';
import { keyEncoder, nonEmpty, pageSize } from './listing-parameters.js';

export const listMultipartUploads: Operation = async (request, { store, owner }, signal) => {
  const { type, encode } = keyEncoder(request);
  const maxUploads = pageSize(request, 'max-uploads');
  const prefix = request.query.get('prefix') ?? '';
  const delimiter = nonEmpty(request, 'delimiter');
  const keyMarker = nonEmpty(request, 'key-marker');
  // S3 ignores an upload id marker that comes without a key marker.
  const uploadIdMarker = keyMarker === undefined ? undefined : nonEmpty(request, 'upload-id-marker');
  const page = await store.listMultipartUploads(
    request.bucket,
    {
      prefix,
      maxUploads,
      ...(delimiter !== undefined && { delimiter }),
      ...(keyMarker !== undefined && { keyMarker }),
      ...(uploadIdMarker !== undefined && { uploadIdMarker }),
    },
    signal,
  );
  const who = { ID: owner.id, DisplayName: owner.displayName };
  return xmlResponse('ListMultipartUploadsResult', {
    Bucket: request.bucket,
    KeyMarker: encode(keyMarker ?? ''),
    UploadIdMarker: uploadIdMarker ?? '',
    NextKeyMarker: page.nextKeyMarker === undefined ? undefined : encode(page.nextKeyMarker),
    NextUploadIdMarker: page.nextUploadIdMarker,
    Prefix: encode(prefix),
    Delimiter: delimiter && encode(delimiter),
    EncodingType: type,
    MaxUploads: maxUploads,
    IsTruncated: page.isTruncated,
    Upload: page.uploads.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.uploadId,
      Initiator: who,
      Owner: who,
      StorageClass: upload.storageClass ?? 'STANDARD',
      Initiated: upload.initiated,
      ChecksumAlgorithm: upload.checksumAlgorithm,
      ChecksumType: upload.checksumType,
    })),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  });
};
