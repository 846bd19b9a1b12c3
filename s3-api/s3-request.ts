/** What an operation gets: a parsed, authenticated request, free of any web framework. */
import type { Readable } from 'node:stream';
import type { AuthenticatedRequest } from './auth/types.js';
import type { BodyLimits, DecodedBody } from './body/types.js';
import { errors, S3Error } from './errors.js';
import { decodeQueryComponent } from './url-encoding.js';
import type { WireRequest } from './wire-request.js';

export interface S3Request {
  readonly method: string;
  /** Empty at service level. */
  readonly bucket: string;
  /** Decoded; empty at service and bucket level. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case, duplicates joined with `,`, values as Latin-1. */
  readonly headers: ReadonlyMap<string, string>;
  readonly auth: AuthenticatedRequest;
  readonly requestId: string;
  /** `http://host/bucket/key` or `http://bucket.host/key` as the client addressed it. */
  readonly resourceUrl: string;
  readonly wire: WireRequest;
  /**
   * Starts the upload: answers `100 Continue` where the client waits for it, and gives the decoded body. To be called
   * once, after all that can be checked without the body. Operations that never call it leave the body unread.
   */
  openBody(limits?: BodyLimits): DecodedBody;
}

/** A query's names and values, decoded; the first of duplicates counts. */
export function parseQuery(rawQuery: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  if (rawQuery === '') return query;
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeQueryComponent(equals < 0 ? pair : pair.slice(0, equals));
    if (!query.has(name)) query.set(name, equals < 0 ? '' : decodeQueryComponent(pair.slice(equals + 1)));
  }
  return query;
}

/** Headers by lower-case name, duplicates joined with `,` (RFC 9110 section 5.3). */
export function headerMap(request: Pick<WireRequest, 'headers'>): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of request.headers) {
    const before = map.get(name);
    map.set(name, before === undefined ? value : `${before},${value}`);
  }
  return map;
}

/** Reads a query parameter as an integer within bounds. Throws InvalidArgument as S3 words it. */
export function integerParameter(
  request: Pick<S3Request, 'query'>,
  name: string,
  bounds: { readonly min: number; readonly max: number; readonly cap?: number },
): number | undefined {
  const text = request.query.get(name);
  if (text === undefined || text === '') return undefined;
  if (!/^-?\d{1,10}$/.test(text))
    throw errors.invalidArgument(name, text, `Provided ${name} not an integer or within integer range`);
  const value = Number(text);
  if (value < bounds.min || value > bounds.max)
    throw errors.invalidArgument(
      name,
      text,
      `Argument ${name} must be an integer between ${bounds.min} and ${bounds.max}`,
    );
  return bounds.cap === undefined ? value : Math.min(value, bounds.cap);
}

/** Reads a whole document body (XML, JSON) into memory. Throws MaxMessageLengthExceeded beyond `maxBytes`. */
export async function readDocument(request: S3Request, maxBytes: number, limits: BodyLimits = {}): Promise<Buffer> {
  return collect(request.openBody(limits).body, maxBytes);
}

async function collect(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes)
      throw new S3Error('MaxMessageLengthExceeded', 'Your request was too big.', {
        fields: { MaxMessageLengthBytes: String(maxBytes) },
      });
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}
