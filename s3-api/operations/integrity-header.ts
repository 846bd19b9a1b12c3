/** Documents that must not be corrupted on their way: S3 wants a digest with them. */
import { errors } from '../errors.js';
import { statedChecksum } from '../headers/checksum-headers.js';

/** Throws InvalidRequest where neither Content-MD5 nor a checksum (header or trailer) comes with the body. */
export function requireIntegrityHeader(headers: ReadonlyMap<string, string>): void {
  const trailer = headers.get('x-amz-trailer')?.toLowerCase().includes('x-amz-checksum-') === true;
  if (!headers.has('content-md5') && statedChecksum(headers) === undefined && !trailer)
    throw errors.invalidRequest('Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
}
