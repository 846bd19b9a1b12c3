/** The one place that writes answers: XML, errors, bodies, and the headers that every answer has. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { S3Error } from '../errors.js';
import type { ObjectBody } from '../object-store.js';
import type { S3Response } from '../s3-response.js';
import { buildXml, type XmlDocument } from '../xml/build.js';
import type { RequestBody } from './request-body.js';

const XML_TYPE = 'application/xml';

export interface Exchange {
  readonly method: string;
  readonly requestId: string;
  readonly hostId: string;
  readonly outgoing: ServerResponse;
  readonly requestBody: RequestBody;
  /** Headers that every answer of this server has. */
  readonly commonHeaders: Readonly<Record<string, string>>;
  /** Whether the server drains, so that connections should end. */
  readonly draining: boolean;
}

/** Any failure as an S3Error: what is not one already becomes InternalError with the failure as its cause. */
export function toS3Error(error: unknown): S3Error {
  return error instanceof S3Error
    ? error
    : new S3Error('InternalError', 'We encountered an internal error. Please try again.', { cause: error });
}

/** The error as an answer, with S3's error document. */
export function errorResponse(
  error: S3Error,
  exchange: Pick<Exchange, 'requestId' | 'hostId'>,
  resource: string,
): S3Response {
  if (error.status === 304) return { status: 304, headers: error.headers };
  return { status: error.status, headers: error.headers, xml: errorDocument(error, exchange, resource) };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export function errorDocument(
  error: S3Error,
  { requestId, hostId }: Pick<Exchange, 'requestId' | 'hostId'>,
  resource: string,
): XmlDocument {
  return {
    root: 'Error',
    namespace: false,
    content: {
      Code: error.code,
      Message: error.message,
      ...error.fields,
      Resource: resource,
      RequestId: requestId,
      HostId: hostId,
    },
  };
}

/** An answer with all of its headers, ready to be written. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ObjectBody | undefined;
}

/** Adds what every answer has: ids, lengths, and `connection: close` where it must. */
export function prepareAnswer(exchange: Exchange, response: S3Response): Answer {
  const headers: Record<string, string> = { ...exchange.commonHeaders, 'x-amz-request-id': exchange.requestId };
  if (response.headers !== undefined) Object.assign(headers, response.headers);
  let body = response.body;
  if (response.xml !== undefined) {
    body = Buffer.from(buildXml(response.xml));
    headers['content-type'] = XML_TYPE;
  }
  if (body instanceof Uint8Array) headers['content-length'] = String(body.byteLength);
  else if (body === undefined && exchange.method !== 'HEAD' && response.status !== 204 && response.status !== 304)
    headers['content-length'] = '0';
  if (exchange.draining || exchange.requestBody.mustClose) headers['connection'] = 'close';
  return { status: response.status, headers, body };
}

/**
 * Writes the answer. Resolves when a streamed body was handed over whole, at once for any other. Rejects where a
 * streamed body or the connection fails in the middle; the connection is then destroyed, so that the client cannot take
 * a part for the whole.
 */
export async function sendAnswer({ method, outgoing, requestBody }: Exchange, answer: Answer): Promise<void> {
  const { body } = answer;
  const mustClose = requestBody.mustClose;
  outgoing.writeHead(answer.status, answer.headers);
  if (!mustClose && requestBody.isUnread) outgoing.once('finish', () => requestBody.discard());
  if (body instanceof Readable) {
    if (method !== 'HEAD') return pipeline(body, outgoing);
    body.destroy();
  }
  const bytes = body instanceof Uint8Array && method !== 'HEAD' ? body : undefined;
  if (!mustClose) {
    outgoing.end(bytes);
    return;
  }
  if (bytes === undefined) outgoing.flushHeaders();
  else outgoing.write(bytes);
  await requestBody.linger();
  outgoing.end();
}
