/** Request headers that only a backing store can honour: handed on as they are. */
import type { ReadPreferences } from '../object-store.js';
import type { S3Request } from '../s3-request.js';

const PASSED = new Set(['x-amz-request-payer', 'x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']);
const PASSED_PREFIXES = ['x-amz-server-side-encryption', 'x-amz-copy-source-server-side-encryption'];

/** `undefined` where the request has none, which is the common case. */
export function passThroughHeaders(headers: ReadonlyMap<string, string>): Readonly<Record<string, string>> | undefined {
  let passed: Record<string, string> | undefined;
  for (const [name, value] of headers) {
    if (!name.startsWith('x-amz-')) continue;
    if (PASSED.has(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix))) (passed ??= {})[name] = value;
  }
  return passed;
}

/** What the store's own parameters ask for: everything that starts with `x-lbx-`, and `accept`. */
export function readPreferences(request: Pick<S3Request, 'query' | 'headers'>): ReadPreferences | undefined {
  const accept = request.headers.get('accept');
  let parameters: Record<string, string> | undefined;
  for (const source of [request.headers, request.query])
    for (const [name, value] of source) if (name.startsWith('x-lbx-')) (parameters ??= {})[name] = value;
  if (parameters === undefined && (accept === undefined || accept === '*/*')) return undefined;
  return { parameters: parameters ?? {}, ...(accept !== undefined && { accept }) };
}
