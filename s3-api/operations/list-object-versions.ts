/**
 * ListObjectVersions of a bucket without versioning: each object is its only version, `null`.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
import { errors } from '../errors.js';
import type { Operation } from '../operation.js';
import { xmlResponse } from '../s3-response.js';
import { keyEncoder, listedObjectElement, nonEmpty, pageSize } from './listing-parameters.js';

const NULL_VERSION = 'null';

export const listObjectVersions: Operation = async (request, { store, owner }, signal) => {
  const { type, encode } = keyEncoder(request);
  const maxKeys = pageSize(request, 'max-keys');
  const prefix = request.query.get('prefix') ?? '';
  const delimiter = nonEmpty(request, 'delimiter');
  const keyMarker = request.query.get('key-marker') ?? '';
  const versionIdMarker = request.query.get('version-id-marker') ?? '';
  if (versionIdMarker !== '' && keyMarker === '')
    throw errors.invalidArgument(
      'version-id-marker',
      versionIdMarker,
      'A version-id marker cannot be specified without a key marker.',
    );
  const page = await store.listObjects(
    request.bucket,
    {
      prefix,
      maxKeys,
      ...(delimiter !== undefined && { delimiter }),
      ...(keyMarker !== '' && { startAfter: keyMarker }),
    },
    signal,
  );
  const next = page.nextStartAfter;
  const endsWithKey = next !== undefined && next === page.objects.at(-1)?.key;
  return xmlResponse('ListVersionsResult', {
    Name: request.bucket,
    Prefix: encode(prefix),
    KeyMarker: encode(keyMarker),
    VersionIdMarker: versionIdMarker,
    NextKeyMarker: next === undefined ? undefined : encode(next),
    NextVersionIdMarker: endsWithKey ? NULL_VERSION : undefined,
    MaxKeys: maxKeys,
    Delimiter: delimiter && encode(delimiter),
    EncodingType: type,
    IsTruncated: page.isTruncated,
    Version: page.objects.map((object) => ({
      ...listedObjectElement(object, encode, owner),
      VersionId: NULL_VERSION,
      IsLatest: true,
    })),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  });
};
