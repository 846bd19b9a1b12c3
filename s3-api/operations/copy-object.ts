/** CopyObject. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
import { errors } from '../errors.js';
import { quoteEtag } from '../etag.js';
import { checksumElements, parseChecksumAlgorithm } from '../headers/checksum-headers.js';
import { parseDirective, parseTaggingHeader } from '../headers/metadata.js';
import type { CopyOptions, CopySource } from '../object-store.js';
import type { Operation } from '../operation.js';
import type { S3Request } from '../s3-request.js';
import { xmlResponse } from '../s3-response.js';
import { copySource } from './copy-source.js';
import { newObjectOptions, writeConditions } from './write-options.js';

export const copyObject: Operation = async (request, deps, signal) => {
  const source = copySource(request, deps);
  const options = copyOptions(request);
  refuseIdleSelfCopy(request, source, options);
  const result = await deps.store.copyObject(source, request.bucket, request.key, options, signal);
  return xmlResponse(
    'CopyObjectResult',
    {
      ETag: quoteEtag(result.etag),
      LastModified: result.lastModified,
      ...checksumElements(result.checksums),
    },
    {
      ...result.extraHeaders,
      ...(result.versionId !== undefined && { 'x-amz-version-id': result.versionId }),
      ...(result.sourceVersionId !== undefined && { 'x-amz-copy-source-version-id': result.sourceVersionId }),
    },
  );
};

function copyOptions({ headers }: S3Request): CopyOptions {
  const { systemMetadata, userMetadata, storageClass, passThroughHeaders } = newObjectOptions(headers);
  const replacesMetadata = parseDirective(headers, 'x-amz-metadata-directive') === 'REPLACE';
  const replacesTags = parseDirective(headers, 'x-amz-tagging-directive') === 'REPLACE';
  const checksumAlgorithm = parseChecksumAlgorithm(headers.get('x-amz-checksum-algorithm'));
  const conditions = writeConditions(headers);
  return {
    ...(replacesMetadata && { replaceMetadata: { systemMetadata, userMetadata } }),
    ...(replacesTags && { replaceTags: parseTaggingHeader(headers) ?? {} }),
    ...(checksumAlgorithm !== undefined && { checksumAlgorithm }),
    ...(conditions !== undefined && { conditions }),
    ...(storageClass !== undefined && { storageClass }),
    ...(passThroughHeaders !== undefined && { passThroughHeaders }),
  };
}

/** S3 refuses a copy onto itself that would change nothing. */
function refuseIdleSelfCopy({ bucket, key, headers }: S3Request, source: CopySource, options: CopyOptions): void {
  const changes =
    source.versionId !== undefined ||
    options.replaceMetadata !== undefined ||
    headers.has('x-amz-storage-class') ||
    headers.has('x-amz-website-redirect-location') ||
    headers.has('x-amz-server-side-encryption');
  if (source.bucket === bucket && source.key === key && !changes)
    throw errors.invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
}
