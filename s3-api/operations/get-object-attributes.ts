/** GetObjectAttributes. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
import { errors } from '../errors.js';
import { checksumElements } from '../headers/checksum-headers.js';
import type { ObjectPart } from '../object-store.js';
import type { Operation } from '../operation.js';
import type { S3Request } from '../s3-request.js';
import { xmlResponse } from '../s3-response.js';
import type { XmlElement } from '../xml/build.js';
import { MAX_PAGE } from './listing-parameters.js';
import { readOptions } from './read-options.js';

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
type Attribute = (typeof ATTRIBUTES)[number];

export const getObjectAttributes: Operation = async (request, { store }, signal) => {
  const wanted = requestedAttributes(request);
  const { bucket, key } = request;
  const { conditions, versionId, passThroughHeaders } = readOptions(request);
  const { info } = await store.headObject(
    bucket,
    key,
    {
      ...(conditions !== undefined && { conditions }),
      ...(versionId !== undefined && { versionId }),
      ...(passThroughHeaders !== undefined && { passThroughHeaders }),
    },
    signal,
  );
  const showsParts = wanted.has('ObjectParts') && info.partsCount !== undefined;
  const checksums = checksumElements(info.checksums);
  return xmlResponse(
    'GetObjectAttributesResponse',
    {
      ETag: wanted.has('ETag') ? info.etag : undefined,
      Checksum: wanted.has('Checksum') && Object.keys(checksums).length > 0 ? checksums : undefined,
      ObjectParts: showsParts ? partsElement(request, await store.listObjectParts(bucket, key, signal)) : undefined,
      StorageClass: wanted.has('StorageClass') ? (info.storageClass ?? 'STANDARD') : undefined,
      ObjectSize: wanted.has('ObjectSize') ? info.size : undefined,
    },
    {
      'last-modified': info.lastModified.toUTCString(),
      ...(info.versionId !== undefined && { 'x-amz-version-id': info.versionId }),
    },
  );
};

function requestedAttributes({ headers }: S3Request): ReadonlySet<Attribute> {
  const header = headers.get('x-amz-object-attributes') ?? '';
  const wanted = new Set<Attribute>();
  for (const text of header.split(',')) {
    const attribute = ATTRIBUTES.find((name) => name === text.trim());
    if (attribute === undefined)
      throw errors.invalidArgument('x-amz-object-attributes', header, 'Invalid attribute name specified.');
    wanted.add(attribute);
  }
  return wanted;
}

/** Parts are itemised only where they have checksums; their count is always said. */
function partsElement(request: S3Request, parts: readonly ObjectPart[]): XmlElement {
  const maxParts = Math.min(headerInteger(request, 'x-amz-max-parts') ?? MAX_PAGE, MAX_PAGE);
  const marker = headerInteger(request, 'x-amz-part-number-marker') ?? 0;
  const itemised = parts.filter((part) => part.checksums !== undefined && part.checksums.length > 0);
  const rest = itemised.filter((part) => part.partNumber > marker);
  const page = rest.slice(0, maxParts);
  return {
    PartsCount: parts.length,
    ...(itemised.length > 0 && {
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.partNumber ?? 0,
      MaxParts: maxParts,
      IsTruncated: page.length < rest.length,
      Part: page.map((part) => ({
        PartNumber: part.partNumber,
        Size: part.size,
        ...checksumElements(part.checksums, false),
      })),
    }),
  };
}

function headerInteger({ headers }: S3Request, name: string): number | undefined {
  const text = headers.get(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw errors.invalidArgument(name, text, `Provided ${name} not an integer or within integer range`);
  return Number(text);
}
