/** A request as it lay on the wire: what signatures are computed over, before any router or URL parser touched it. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** Name in lower case; value as sent, decoded as Latin-1 (HTTP's octets), duplicates kept in order. */
export type WireHeader = readonly [name: string, value: string];

export interface WireRequest {
  readonly method: string;
  /** As sent, before the first `?`: never decoded, never normalised (`//`, `%2F`, `+` and `..` stay). */
  readonly rawPath: string;
  /** As sent, after the first `?`; empty where there is none. */
  readonly rawQuery: string;
  readonly headers: readonly WireHeader[];
  readonly body: Readable;
  /** The peer's address (a proxy's where there is one). */
  readonly remoteAddress: string | undefined;
  /** Whether the connection itself is TLS. */
  readonly secure: boolean;
}

/**
 * Reads Node's request without consuming its body. An absolute-form target (`GET http://host/path`, RFC 9112 section
 * 3.2.2) is cut to its path and query.
 */
export function wireRequestFrom(incoming: IncomingMessage): WireRequest {
  const target = (incoming.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const question = target.indexOf('?');
  const headers: WireHeader[] = [];
  const raw = incoming.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) headers.push([(raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '']);
  return {
    method: incoming.method ?? 'GET',
    rawPath: (question < 0 ? target : target.slice(0, question)) || '/',
    rawQuery: question < 0 ? '' : target.slice(question + 1),
    headers,
    body: incoming,
    remoteAddress: incoming.socket.remoteAddress,
    secure: incoming.socket instanceof TLSSocket,
  };
}

/** The header's value; duplicates joined with `,` (RFC 9110 section 5.3). `name` in lower case. */
export function headerOf(request: Pick<WireRequest, 'headers'>, name: string): string | undefined {
  let value: string | undefined;
  for (const [each, text] of request.headers)
    if (each === name) value = value === undefined ? text : `${value},${text}`;
  return value;
}
