/** The `x-amz-copy-source` header. */
import { requireKeyLength, requirePossibleBucketName } from '../bucket-names.js';
import { parseConditions } from '../conditions.js';
import { errors } from '../errors.js';
import type { CopySource } from '../object-store.js';
import type { OperationDeps } from '../operation.js';
import type { S3Request } from '../s3-request.js';
import { decodePath } from '../url-encoding.js';

/** Reads `bucket/key[?versionId=…]` with the `x-amz-copy-source-if-*` conditions, and checks that the caller may read it. */
export function copySource(request: S3Request, deps: OperationDeps): CopySource {
  const header = request.headers.get('x-amz-copy-source') ?? '';
  const [path, query] = splitOnce(header.replace(/^\//, ''), '?versionId=');
  // The slash between bucket and key may itself be escaped.
  const decoded = decodeSource(path, header).replace(/^\//, '');
  const [bucket, key] = splitOnce(decoded, '/');
  if (key === undefined || key === '' || bucket === '')
    throw errors.invalidArgument('x-amz-copy-source', header, 'Invalid copy source object key');
  requirePossibleBucketName(bucket);
  requireKeyLength(key);
  deps.authorize(request.auth, 's3:GetObject', bucket, key);
  const conditions = parseConditions(request.headers, 'x-amz-copy-source-');
  return {
    bucket,
    key,
    ...(query !== undefined && { versionId: decodeSource(query, header) }),
    ...(conditions !== undefined && { conditions }),
  };
}

function decodeSource(text: string, header: string): string {
  try {
    return decodePath(text);
  } catch {
    throw errors.invalidArgument('x-amz-copy-source', header, 'Invalid copy source encoding.');
  }
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
