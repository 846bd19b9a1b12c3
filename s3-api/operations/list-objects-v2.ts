/** ListObjectsV2. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
import { errors } from '../errors.js';
import type { Operation } from '../operation.js';
import { xmlResponse } from '../s3-response.js';
import {
  decodeContinuationToken,
  encodeContinuationToken,
  keyEncoder,
  listedObjectElement,
  nonEmpty,
  pageSize,
} from './listing-parameters.js';

export const listObjectsV2: Operation = async (request, { store, owner }, signal) => {
  const { type, encode } = keyEncoder(request);
  const maxKeys = pageSize(request, 'max-keys');
  const prefix = request.query.get('prefix') ?? '';
  const delimiter = nonEmpty(request, 'delimiter');
  const startAfter = request.query.get('start-after');
  const token = request.query.get('continuation-token');
  if (token === '')
    throw errors.invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
  const after = token === undefined ? nonEmpty(request, 'start-after') : decodeContinuationToken(token);
  const page = await store.listObjects(
    request.bucket,
    {
      prefix,
      maxKeys,
      ...(delimiter !== undefined && { delimiter }),
      ...(after !== undefined && { startAfter: after }),
    },
    signal,
  );
  const shownOwner = request.query.get('fetch-owner') === 'true' ? owner : undefined;
  return xmlResponse('ListBucketResult', {
    Name: request.bucket,
    Prefix: encode(prefix),
    StartAfter: startAfter === undefined ? undefined : encode(startAfter),
    ContinuationToken: token,
    NextContinuationToken: page.nextStartAfter === undefined ? undefined : encodeContinuationToken(page.nextStartAfter),
    KeyCount: page.objects.length + page.commonPrefixes.length,
    MaxKeys: maxKeys,
    Delimiter: delimiter && encode(delimiter),
    EncodingType: type,
    IsTruncated: page.isTruncated,
    Contents: page.objects.map((object) => listedObjectElement(object, encode, shownOwner)),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  });
};
