/** The headers of an object's answer. */
import { errors } from '../errors.js';
import { quoteEtag } from '../etag.js';
import type { ObjectContent, WriteResult } from '../object-store.js';
import type { S3Request } from '../s3-request.js';
import { checksumHeaders } from './checksum-headers.js';
import { systemMetadataHeaders, userMetadataHeaders } from './metadata.js';

/** S3's default where the upload named no type. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

const RESPONSE_OVERRIDES = [
  ['response-content-type', 'content-type'],
  ['response-content-disposition', 'content-disposition'],
  ['response-content-encoding', 'content-encoding'],
  ['response-content-language', 'content-language'],
  ['response-cache-control', 'cache-control'],
  ['response-expires', 'expires'],
] as const;

/**
 * Headers of GET and HEAD. Checksums only where the client asked (`x-amz-checksum-mode`), and never with a range: they
 * are the whole object's.
 */
export function objectHeaders(request: S3Request, content: Omit<ObjectContent, 'body'>): Record<string, string> {
  const { info, range } = content;
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    'content-length': String(range === undefined ? info.size : range.last - range.first + 1),
    'content-type': DEFAULT_CONTENT_TYPE,
    etag: quoteEtag(info.etag),
    'last-modified': info.lastModified.toUTCString(),
  };
  if (range !== undefined) headers['content-range'] = `bytes ${range.first}-${range.last}/${info.size}`;
  systemMetadataHeaders(info.systemMetadata, headers);
  userMetadataHeaders(info.userMetadata, headers);
  if (info.storageClass !== undefined && info.storageClass !== 'STANDARD')
    headers['x-amz-storage-class'] = info.storageClass;
  if (info.versionId !== undefined) headers['x-amz-version-id'] = info.versionId;
  if (info.tagCount !== undefined && info.tagCount > 0) headers['x-amz-tagging-count'] = String(info.tagCount);
  if (info.partsCount !== undefined && request.query.has('partNumber'))
    headers['x-amz-mp-parts-count'] = String(info.partsCount);
  if (range === undefined && request.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED')
    checksumHeaders(info.checksums, headers);
  if (info.extraHeaders !== undefined) Object.assign(headers, info.extraHeaders);
  applyResponseOverrides(request, headers);
  return headers;
}

/** `response-*` parameters replace headers; an anonymous caller may not use them. */
function applyResponseOverrides(request: S3Request, headers: Record<string, string>): void {
  if (request.query.size === 0) return;
  for (const [parameter, header] of RESPONSE_OVERRIDES) {
    const value = request.query.get(parameter);
    if (value === undefined) continue;
    if (request.auth.method === 'anonymous')
      throw errors.invalidRequest('Request specific response headers cannot be used for anonymous GET requests.');
    if (/[\r\n\0]/.test(value))
      throw errors.invalidArgument(parameter, value, 'Header value cannot contain control characters.');
    headers[header] = Buffer.from(value).toString('latin1');
  }
}

/** Headers of an answer to a write. */
export function writeResultHeaders(result: WriteResult): Record<string, string> {
  const headers: Record<string, string> = { etag: quoteEtag(result.etag) };
  checksumHeaders(result.checksums, headers);
  if (result.versionId !== undefined) headers['x-amz-version-id'] = result.versionId;
  if (result.extraHeaders !== undefined) Object.assign(headers, result.extraHeaders);
  return headers;
}
