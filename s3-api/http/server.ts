/** The Node server under the front: limits on headers, time and connections, and a drain with a deadline. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { S3Error } from '../errors.js';
import { buildXml } from '../xml/build.js';
import type { RequestHandler } from './handle-request.js';
import { errorDocument } from './write-response.js';

export interface ServerLimits {
  /** Bytes of a request's line and headers. S3 allows 8 KB of headers, of which 2 KB are metadata; the default is 16 KiB. */
  readonly maxHeaderBytes?: number;
  /** Milliseconds in which a request's headers must arrive. Default 20,000. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds without a byte after which a stalled upload or download ends. Default 60,000. */
  readonly idleTimeoutMs?: number;
  /** Milliseconds that an idle connection stays open. Default 65,000, more than the 60 s of common load balancers. */
  readonly keepAliveTimeoutMs?: number;
  /** Connections at once; those beyond are closed at once. Default 10,000. */
  readonly maxConnections?: number;
}

export interface TlsOptions {
  /** PEM. */
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: TlsOptions;
}

const DEFAULT_LIMITS = {
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 20_000,
  idleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  maxConnections: 10_000,
} as const satisfies Required<ServerLimits>;

export class S3Server {
  readonly #server: Server;
  readonly #handler: RequestHandler;

  /** `listener` is the Hono app's; `handler` is what it calls in the end, watched here for stalls and drained. */
  constructor(
    listener: (incoming: IncomingMessage, outgoing: ServerResponse) => unknown,
    handler: RequestHandler,
    limits: ServerLimits,
    tls: TlsOptions | undefined,
  ) {
    const { maxHeaderBytes, headersTimeoutMs, idleTimeoutMs, keepAliveTimeoutMs, maxConnections } = {
      ...DEFAULT_LIMITS,
      ...limits,
    };
    const options = {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      // Uploads may take hours; a stalled one is ended by the idle timeout instead.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      noDelay: true,
    };
    this.#handler = handler;
    this.#server = tls === undefined ? createServer(options) : createTlsServer({ ...options, ...tls });
    this.#server.maxConnections = maxConnections;
    this.#server.timeout = idleTimeoutMs;
    this.#server.on('request', listener);
    // Without a listener Node would answer 100 Continue before the request was looked at.
    this.#server.on('checkContinue', listener);
    this.#server.on('timeout', (socket: Socket) => this.#endStalled(socket));
    this.#server.on('clientError', answerClientError);
  }

  /** Resolves when the server accepts connections; rejects where the port cannot be had. */
  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no TCP address');
    return address;
  }

  /** Accepts nothing more, lets requests under way finish, and after `timeLimitMs` ends those that have not. */
  async close(timeLimitMs: number): Promise<void> {
    if (!this.#server.listening) return;
    this.#handler.drain();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), timeLimitMs);
    // A connection that answers its last request without `connection: close` on it becomes idle and must be swept.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), 100);
    await closed;
    clearTimeout(timer);
    clearInterval(sweep);
  }

  /** A socket without traffic: an upload that stalled hears RequestTimeout, a computation goes on, all else ends. */
  #endStalled(socket: Socket): void {
    for (const request of this.#handler.active) {
      if (request.incoming.socket !== socket) continue;
      if (request.outgoing.headersSent) break;
      if (!request.incoming.complete)
        request.abort(
          new S3Error(
            'RequestTimeout',
            'Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.',
            { headers: { connection: 'close' } },
          ),
        );
      return;
    }
    socket.destroy();
  }
}

/** Answers what Node's parser refused, as S3 would. */
function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new S3Error('RequestHeaderSectionTooLarge', 'Your request header section exceeds the maximum allowed size.')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new S3Error('RequestTimeout', 'The request headers did not arrive within the timeout period.')
        : new S3Error('BadRequest', 'An error occurred when parsing the HTTP request.');
  const { requestId, xml } = refusalDocument(refusal);
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/xml\r\ncontent-length: ${Buffer.byteLength(xml)}\r\n` +
      `x-amz-request-id: ${requestId}\r\nconnection: close\r\n\r\n${xml}`,
  );
}

/** The document of an error that never became a request. */
function refusalDocument(refusal: S3Error): { readonly requestId: string; readonly xml: string } {
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  return { requestId, xml: buildXml(errorDocument(refusal, { requestId, hostId: requestId }, '/')) };
}

/** The answer to a target or Host header that the HTTP adapter cannot make a URL of. */
export function invalidUriResponse(cause: unknown): Response {
  const { requestId, xml } = refusalDocument(new S3Error('InvalidURI', "Couldn't parse the specified URI.", { cause }));
  const headers = { 'content-type': 'application/xml', 'x-amz-request-id': requestId, connection: 'close' };
  return new Response(xml, { status: 400, headers });
}
