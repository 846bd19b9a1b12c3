/** ListObjects, version 1. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
import type { Operation } from '../operation.js';
import { xmlResponse } from '../s3-response.js';
import { keyEncoder, listedObjectElement, nonEmpty, pageSize } from './listing-parameters.js';

export const listObjects: Operation = async (request, { store, owner }, signal) => {
  const { type, encode } = keyEncoder(request);
  const maxKeys = pageSize(request, 'max-keys');
  const prefix = request.query.get('prefix') ?? '';
  const delimiter = nonEmpty(request, 'delimiter');
  const marker = request.query.get('marker') ?? '';
  const page = await store.listObjects(
    request.bucket,
    { prefix, maxKeys, ...(delimiter !== undefined && { delimiter }), ...(marker !== '' && { startAfter: marker }) },
    signal,
  );
  return xmlResponse('ListBucketResult', {
    Name: request.bucket,
    Prefix: encode(prefix),
    Marker: encode(marker),
    // Without a delimiter clients go on from the last key.
    NextMarker: delimiter === undefined || page.nextStartAfter === undefined ? undefined : encode(page.nextStartAfter),
    MaxKeys: maxKeys,
    Delimiter: delimiter && encode(delimiter),
    EncodingType: type,
    IsTruncated: page.isTruncated,
    Contents: page.objects.map((object) => listedObjectElement(object, encode, owner)),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  });
};
