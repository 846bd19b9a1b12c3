/** CompleteMultipartUpload. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
import { CHECKSUM_ALGORITHMS } from '../checksums/index.js';
import { errors } from '../errors.js';
import { quoteEtag, unquoteEtag } from '../etag.js';
import { checksumElement, checksumElements, parseChecksumType, statedChecksum } from '../headers/checksum-headers.js';
import type { CompletedPart, CompleteMultipartOptions } from '../object-store.js';
import type { Operation } from '../operation.js';
import { readDocument } from '../s3-request.js';
import { xmlResponse } from '../s3-response.js';
import { childElements, childText, parseXml, requiredText, type ParsedElement } from '../xml/parse.js';
import { MAX_PART_NUMBER } from './read-options.js';
import { uploadIdOf } from './upload-id.js';
import { writeConditions } from './write-options.js';

/** Room for 10,000 parts with ETag and checksums. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

export const completeMultipartUpload: Operation = async (request, { store }, signal) => {
  const { bucket, key } = request;
  const uploadId = uploadIdOf(request);
  const options = completeOptions(request.headers);
  const xml = (await readDocument(request, MAX_DOCUMENT_BYTES, { checksumOfAnother: true })).toString('utf8');
  const parts = childElements(parseXml(xml, 'CompleteMultipartUpload'), 'Part').map(readPart);
  if (parts.length === 0) throw errors.malformedXml();
  requireAscending(parts, uploadId);
  const result = await store.completeMultipartUpload(bucket, key, uploadId, parts, options, signal);
  return xmlResponse(
    'CompleteMultipartUploadResult',
    {
      Location: request.resourceUrl,
      Bucket: bucket,
      Key: key,
      ETag: quoteEtag(result.etag),
      ...checksumElements(result.checksums),
    },
    {
      ...result.extraHeaders,
      ...(result.versionId !== undefined && { 'x-amz-version-id': result.versionId }),
    },
  );
};

/** The checksum headers here are the whole object's, not this document's. */
function completeOptions(headers: ReadonlyMap<string, string>): CompleteMultipartOptions {
  const stated = statedChecksum(headers);
  const type = parseChecksumType(headers.get('x-amz-checksum-type'));
  const size = headers.get('x-amz-mp-object-size');
  const conditions = writeConditions(headers);
  if (size !== undefined && !/^\d{1,15}$/.test(size))
    throw errors.invalidRequest('Value for x-amz-mp-object-size header is invalid.');
  return {
    ...(type !== undefined && { checksumType: type }),
    ...(stated !== undefined && { checksum: { ...stated, ...(type !== undefined && { type }) } }),
    ...(size !== undefined && { mpuObjectSize: Number(size) }),
    ...(conditions !== undefined && { conditions }),
  };
}

function readPart(element: ParsedElement): CompletedPart {
  const partNumber = Number(requiredText(element, 'PartNumber').trim());
  if (!Number.isInteger(partNumber)) throw errors.malformedXml();
  if (partNumber < 1 || partNumber > MAX_PART_NUMBER)
    throw errors.invalidArgument('PartNumber', String(partNumber), 'PartNumber must be >= 1 and <= 10000');
  const checksums = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = childText(element, checksumElement(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (checksums.length > 1) {
    const all = checksums.map(({ algorithm, value }) => `${algorithm}:${value};`).join('');
    throw errors.invalidArgument(
      'Checksum',
      all,
      'Expecting a single checksum a part. Multiple checksum Types are not allowed.',
    );
  }
  return {
    partNumber,
    etag: unquoteEtag(requiredText(element, 'ETag')),
    ...(checksums.length > 0 && { checksums }),
  };
}

function requireAscending(parts: readonly CompletedPart[], uploadId: string): void {
  let previous = 0;
  for (const { partNumber } of parts) {
    if (partNumber <= previous) throw errors.invalidPartOrder(uploadId);
    previous = partNumber;
  }
}
