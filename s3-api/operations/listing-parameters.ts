/** What the list operations share: encoding of keys, page sizes, continuation tokens. */
import { errors } from '../errors.js';
import type { ListedObject } from '../object-store.js';
import { quoteEtag } from '../etag.js';
import type { Owner } from '../operation.js';
import { integerParameter, type S3Request } from '../s3-request.js';
import { encodeListedKey } from '../url-encoding.js';
import type { XmlElement } from '../xml/build.js';

/** The most that S3 answers in one page. */
export const MAX_PAGE = 1000;
const MAX_INT = 2_147_483_647;

/** How keys are written: as they are, or URL-encoded where the client asked. Throws InvalidArgument. */
export function keyEncoder(request: S3Request): {
  readonly type: string | undefined;
  readonly encode: (key: string) => string;
} {
  const type = request.query.get('encoding-type');
  if (type === undefined || type === '') return { type: undefined, encode: (key) => key };
  if (type.toLowerCase() !== 'url')
    throw errors.invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request');
  return { type: 'url', encode: encodeListedKey };
}

/** `max-keys` and its like: 0 to 2³¹−1, of which S3 answers at most 1000. */
export function pageSize(request: S3Request, name: string): number {
  return integerParameter(request, name, { min: 0, max: MAX_INT, cap: MAX_PAGE }) ?? MAX_PAGE;
}

/** A parameter whose empty value means the same as none. */
export function nonEmpty(request: S3Request, name: string): string | undefined {
  const value = request.query.get(name);
  return value === '' ? undefined : value;
}

/** Tokens are opaque to clients; inside they hold the last entry of the page before. */
export function encodeContinuationToken(startAfter: string): string {
  return `1${Buffer.from(startAfter).toString('base64url')}`;
}

/** Throws InvalidArgument for what `encodeContinuationToken` cannot have made. */
export function decodeContinuationToken(token: string): string {
  const startAfter = Buffer.from(token.slice(1), 'base64url').toString('utf8');
  if (startAfter === '' || encodeContinuationToken(startAfter) !== token)
    throw errors.invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
  return startAfter;
}

/** The `Contents` (or `Version`) element of one object. */
export function listedObjectElement(
  object: ListedObject,
  encode: (key: string) => string,
  owner: Owner | undefined,
): XmlElement {
  return {
    Key: encode(object.key),
    LastModified: object.lastModified,
    ETag: quoteEtag(object.etag),
    ChecksumAlgorithm: object.checksumAlgorithms,
    ChecksumType: object.checksumType,
    Size: object.size,
    Owner: owner && { ID: owner.id, DisplayName: owner.displayName },
    StorageClass: object.storageClass ?? 'STANDARD',
  };
}
