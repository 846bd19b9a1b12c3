/** What an operation answers; one place (`http/write-response.ts`) writes it. */
import type { ObjectBody } from './object-store.js';
import type { XmlDocument } from './xml/build.js';

export interface S3Response {
  readonly status: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly xml?: XmlDocument;
  /** Bytes, or a stream whose length the `content-length` header names. */
  readonly body?: ObjectBody;
}

/** 200 with an XML document. */
export function xmlResponse(
  root: string,
  content: XmlDocument['content'],
  headers?: Readonly<Record<string, string>>,
): S3Response {
  return { status: 200, xml: { root, content }, ...(headers !== undefined && { headers }) };
}

/** An answer of headers alone. */
export function emptyResponse(status: 200 | 204, headers?: Readonly<Record<string, string>>): S3Response {
  return { status, ...(headers !== undefined && { headers }) };
}
