/** Metadata that S3 keeps with an object: system headers, `x-amz-meta-*`, tags, storage class. */
import { errors, S3Error } from '../errors.js';
import type { SystemMetadata, TagSet, UserMetadata } from '../object-store.js';
import { decodeQueryComponent, unescapedUtf8 } from '../url-encoding.js';

/** Bytes of names and values together. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_USER_METADATA_BYTES = 2048;
const USER_PREFIX = 'x-amz-meta-';

/** Limits of object tags. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const MAX_OBJECT_TAGS = 10;
const MAX_TAG_KEY_LENGTH = 128;
const MAX_TAG_VALUE_LENGTH = 256;

const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'OUTPOSTS',
  'GLACIER_IR',
  'SNOW',
  'EXPRESS_ONEZONE',
]);

const SYSTEM_HEADERS = [
  ['content-type', 'contentType'],
  ['content-disposition', 'contentDisposition'],
  ['content-language', 'contentLanguage'],
  ['cache-control', 'cacheControl'],
  ['expires', 'expires'],
  ['x-amz-website-redirect-location', 'websiteRedirectLocation'],
] as const satisfies readonly (readonly [string, keyof SystemMetadata])[];

/** Reads the headers that S3 stores and gives back. `aws-chunked` is framing and does not belong to the object. */
export function parseSystemMetadata(headers: ReadonlyMap<string, string>): SystemMetadata {
  const metadata: Partial<Record<keyof SystemMetadata, string>> = {};
  for (const [header, field] of SYSTEM_HEADERS) {
    const value = headers.get(header);
    if (value !== undefined && value !== '') metadata[field] = value;
  }
  const encodings = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== '' && encoding.toLowerCase() !== 'aws-chunked');
  if (encodings.length > 0) metadata.contentEncoding = encodings.join(',');
  const redirect = metadata.websiteRedirectLocation;
  if (redirect !== undefined && !/^(?:\/|https?:\/\/)/.test(redirect))
    throw new S3Error(
      'InvalidRedirectLocation',
      "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    );
  return metadata;
}

/** System metadata as response headers. */
export function systemMetadataHeaders(metadata: SystemMetadata, into: Record<string, string>): void {
  for (const [header, field] of SYSTEM_HEADERS) {
    const value = metadata[field];
    if (value !== undefined) into[header] = headerText(value);
  }
  if (metadata.contentEncoding !== undefined) into['content-encoding'] = headerText(metadata.contentEncoding);
}

/** Reads `x-amz-meta-*`. Throws MetadataTooLarge beyond 2 KB. */
export function parseUserMetadata(headers: ReadonlyMap<string, string>): UserMetadata {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of headers) {
    if (!name.startsWith(USER_PREFIX)) continue;
    const text = decodeMetadataValue(value);
    bytes += name.length - USER_PREFIX.length + Buffer.byteLength(text);
    metadata[name.slice(USER_PREFIX.length)] = text;
  }
  if (bytes > MAX_USER_METADATA_BYTES)
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      fields: { Size: String(bytes), MaxSizeAllowed: String(MAX_USER_METADATA_BYTES) },
    });
  return metadata;
}

/** User metadata as response headers; names that cannot be a header are counted in `x-amz-missing-meta`. */
export function userMetadataHeaders(metadata: UserMetadata, into: Record<string, string>): void {
  let missing = 0;
  for (const name in metadata) {
    const value = metadata[name] ?? '';
    if (/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(name)) into[USER_PREFIX + name] = encodeMetadataValue(value);
    else missing++;
  }
  if (missing > 0) into['x-amz-missing-meta'] = String(missing);
}

const ENCODED_WORD = /=\?utf-8\?([bq])\?([^?]*)\?=/gi;

/** RFC 2047 encoded words and raw UTF-8 octets become text. */
function decodeMetadataValue(value: string): string {
  if (!value.includes('=?')) return unescapedUtf8(value);
  return unescapedUtf8(value).replace(ENCODED_WORD, (_word, encoding: string, text: string) =>
    encoding.toLowerCase() === 'b'
      ? Buffer.from(text, 'base64').toString('utf8')
      : Buffer.from(
          text
            .replaceAll('_', ' ')
            .replace(/=([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
          'latin1',
        ).toString('utf8'),
  );
}

/** Text beyond printable ASCII goes out as an RFC 2047 encoded word, as S3 does. */
function encodeMetadataValue(value: string): string {
  return /^[\t\u0020-\u007e]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`;
}

/** A stored header's text as octets that Node will send: UTF-8 where it is not Latin-1 already. */
function headerText(value: string): string {
  const printable = /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value);
  return printable ? value : Buffer.from(value.replace(/[\r\n\0]/g, ' ')).toString('latin1');
}

/** The storage class asked for, `undefined` for S3's default. Throws InvalidStorageClass. */
export function parseStorageClass(headers: ReadonlyMap<string, string>): string | undefined {
  const storageClass = headers.get('x-amz-storage-class');
  if (storageClass === undefined) return undefined;
  if (!STORAGE_CLASSES.has(storageClass))
    throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid', {
      fields: { StorageClassRequested: storageClass },
    });
  return storageClass === 'STANDARD' ? undefined : storageClass;
}

/** Reads `x-amz-tagging`, a query string. Throws InvalidArgument or InvalidTag. */
export function parseTaggingHeader(headers: ReadonlyMap<string, string>): TagSet | undefined {
  const header = headers.get('x-amz-tagging');
  if (header === undefined) return undefined;
  const malformed = () =>
    errors.invalidArgument(
      'x-amz-tagging',
      header,
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    );
  const decode = (text: string): string => {
    try {
      return decodeQueryComponent(text);
    } catch {
      throw malformed();
    }
  };
  const pairs = header
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair): readonly [string, string] => {
      const equals = pair.indexOf('=');
      return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    });
  const names = new Set(pairs.map(([name]) => name));
  if (names.size < pairs.length || names.has('')) throw malformed();
  return checkedTags(pairs);
}

/** Checks tags against S3's limits. `maximum`: 10 for objects, 50 for buckets. */
export function checkedTags(
  pairs: readonly (readonly [key: string, value: string])[],
  maximum = MAX_OBJECT_TAGS,
): TagSet {
  if (pairs.length > maximum)
    throw maximum === MAX_OBJECT_TAGS
      ? new S3Error('BadRequest', `Object tags cannot be greater than ${maximum}`)
      : new S3Error('BadRequest', `Bucket tag count cannot be greater than ${maximum}`);
  const tags: Record<string, string> = {};
  for (const [key, value] of pairs) {
    if (key.length === 0 || key.length > MAX_TAG_KEY_LENGTH || !isTagText(key))
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid', { fields: { TagKey: key } });
    if (value.length > MAX_TAG_VALUE_LENGTH || !isTagText(value))
      throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid', {
        fields: { TagKey: key, TagValue: value },
      });
    if (/^aws:/i.test(key))
      throw new S3Error('InvalidTag', 'System tags cannot be added/updated by requester', { fields: { TagKey: key } });
    if (Object.hasOwn(tags, key))
      throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key', { fields: { TagKey: key } });
    tags[key] = value;
  }
  return tags;
}

function isTagText(text: string): boolean {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text);
}

/** COPY or REPLACE. Throws InvalidArgument for anything else. */
export function parseDirective(headers: ReadonlyMap<string, string>, header: string): 'COPY' | 'REPLACE' {
  const value = headers.get(header) ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw errors.invalidArgument(
    header,
    value,
    `Unknown ${header === 'x-amz-tagging-directive' ? 'tagging' : 'metadata'} directive.`,
  );
}
