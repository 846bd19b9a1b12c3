/** From a Node request to its answer: address, authentication, routing, authorisation, operation, answer, record. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { resolveAddress, type Address } from '../address.js';
import type { AuthenticatedRequest } from '../auth/types.js';
import type { BodyLimits, DecodedBody } from '../body/types.js';
import { requireKeyLength, requirePossibleBucketName } from '../bucket-names.js';
import { errors, S3Error } from '../errors.js';
import type { Level, OperationDeps } from '../operation.js';
import type { Router } from '../router.js';
import { headerMap, parseQuery, type S3Request } from '../s3-request.js';
import { emptyResponse, type S3Response } from '../s3-response.js';
import { wireRequestFrom, type WireRequest } from '../wire-request.js';
import type { AccessRecord } from './access-record.js';
import { RequestBody } from './request-body.js';
import { errorResponse, prepareAnswer, sendAnswer, toS3Error, type Exchange } from './write-response.js';

/** Nginx's status for a client that left before the answer. */
const CLIENT_CLOSED_REQUEST = 499;

export interface HandlerOptions {
  readonly deps: OperationDeps;
  readonly router: Router;
  /** Lower case, longest first. */
  readonly domains: readonly string[];
  /** Compared with `x-amz-expected-bucket-owner`; absent: the header is only passed on to the store. */
  readonly accountId?: string;
  readonly serverName: string;
  readonly authenticate: (request: WireRequest) => Promise<AuthenticatedRequest>;
  readonly decodeBody: (request: WireRequest, auth: AuthenticatedRequest, limits: BodyLimits) => DecodedBody;
  readonly onFinished?: (record: AccessRecord) => void;
}

/** A request under way: how the server's idle watch sees and stops it. */
export interface ActiveRequest {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  abort(reason: S3Error): void;
}

/** What is known of a request so far, for errors and the access record. */
interface Progress {
  operation: string;
  address: Address;
  auth?: AuthenticatedRequest;
  status: number;
  bytesSent: number;
  headersAt?: number;
  failure?: S3Error;
}

export class RequestHandler {
  readonly #options: HandlerOptions;
  readonly #active = new Set<ActiveRequest>();
  readonly #commonHeaders: Readonly<Record<string, string>>;
  readonly #hostId = randomBytes(24).toString('base64');
  #draining = false;

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#commonHeaders = { server: options.serverName, 'x-amz-id-2': this.#hostId };
  }

  get active(): ReadonlySet<ActiveRequest> {
    return this.#active;
  }

  /** From now on every answer closes its connection. */
  drain(): void {
    this.#draining = true;
  }

  /** Answers one request. Never rejects. */
  async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const controller = new AbortController();
    const requestBody = new RequestBody(incoming, outgoing);
    const exchange: Exchange = {
      method: incoming.method ?? 'GET',
      requestId: randomBytes(8).toString('hex').toUpperCase(),
      hostId: this.#hostId,
      outgoing,
      requestBody,
      commonHeaders: this.#commonHeaders,
      draining: this.#draining,
    };
    const progress: Progress = {
      operation: 'Unknown',
      address: { bucket: '', key: '', virtualHosted: false },
      status: CLIENT_CLOSED_REQUEST,
      bytesSent: 0,
    };
    const active: ActiveRequest = { incoming, outgoing, abort: (reason) => controller.abort(reason) };
    this.#active.add(active);
    const closed = new Promise<void>((resolve) => {
      outgoing.once('close', () => {
        this.#active.delete(active);
        if (!outgoing.writableFinished) controller.abort();
        resolve();
      });
    });
    const answered = this.#run(incoming, exchange, progress, controller.signal);
    void Promise.all([answered, closed]).then(() => this.#record(exchange, incoming, progress, startedAt));
    await answered;
  }

  /** Never rejects: whatever fails becomes an answer, or a broken connection where the answer had begun. */
  async #run(incoming: IncomingMessage, exchange: Exchange, progress: Progress, signal: AbortSignal): Promise<void> {
    const { outgoing } = exchange;
    const wire = wireRequestFrom(incoming);
    const headers = headerMap(wire);
    let response: S3Response;
    try {
      response = await this.#answer(wire, headers, exchange, progress, signal);
    } catch (error) {
      const failure = toS3Error(stallOf(signal) ?? error);
      // What the client's leaving set off (an AbortError in the store) is no fault of ours to log.
      if (!outgoing.destroyed || error instanceof S3Error) progress.failure = failure;
      response = errorResponse(failure, exchange, wire.rawPath);
    }
    if (outgoing.destroyed) {
      if (response.body !== undefined && !(response.body instanceof Uint8Array)) response.body.destroy();
      return;
    }
    try {
      if (headers.has('origin')) response = await this.#withCors(response, headers, progress, exchange, signal);
      progress.status = response.status;
      progress.headersAt = performance.now();
      const answer = prepareAnswer(exchange, response);
      if (exchange.method !== 'HEAD') progress.bytesSent = Number(answer.headers['content-length'] ?? 0);
      await sendAnswer(exchange, answer);
    } catch (error) {
      progress.failure ??= toS3Error(error);
      outgoing.destroy();
    }
  }

  async #answer(
    wire: WireRequest,
    headers: ReadonlyMap<string, string>,
    exchange: Exchange,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<S3Response> {
    const { deps, router, domains, authenticate, decodeBody } = this.#options;
    const host = headers.get('host');
    const address = resolveAddress(wire.rawPath, host, domains);
    progress.address = address;
    const { bucket, key } = address;
    const query = parseQuery(wire.rawQuery);
    if (wire.method === 'OPTIONS') {
      progress.operation = 'Preflight';
      return emptyResponse(200, await deps.cors.preflightHeaders(bucket, headers, signal));
    }
    const level: Level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
    if (bucket !== '') requirePossibleBucketName(bucket);
    requireKeyLength(key);

    const auth = await authenticate(wire);
    progress.auth = auth;
    const route = router.match(wire.method, level, query, headers);
    progress.operation = route.name;
    if (route.action !== 'by-operation') authorizeRoute(deps, auth, route.action, address, query);
    this.#requireExpectedOwner(headers);

    let opened: Readable | undefined;
    const request: S3Request = {
      method: wire.method,
      bucket,
      key,
      query,
      headers,
      auth,
      requestId: exchange.requestId,
      resourceUrl: `${wire.secure ? 'https' : 'http'}://${host ?? 'localhost'}${wire.rawPath}`,
      wire,
      openBody: (limits = {}) => {
        const decoded = decodeBody({ ...wire, body: exchange.requestBody.open() }, auth, limits);
        opened = decoded.body;
        // Whoever reads the body sees its error; where nobody reads it any more, it must not end the process.
        opened.on('error', () => undefined);
        const stop = () => {
          const stall = stallOf(signal);
          // Where the client left, the body fails by itself, as IncompleteBody.
          if (stall !== undefined) decoded.body.destroy(stall);
        };
        signal.addEventListener('abort', stop, { once: true });
        return decoded;
      },
    };
    try {
      return await route.handler(request, deps, signal);
    } finally {
      opened?.destroy();
    }
  }

  /** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html */
  #requireExpectedOwner(headers: ReadonlyMap<string, string>): void {
    const { accountId } = this.#options;
    if (accountId === undefined) return;
    for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
      const expected = headers.get(name);
      if (expected === undefined) continue;
      if (expected !== accountId) throw errors.accessDenied();
    }
  }

  async #withCors(
    response: S3Response,
    headers: ReadonlyMap<string, string>,
    progress: Progress,
    exchange: Exchange,
    signal: AbortSignal,
  ): Promise<S3Response> {
    if (progress.operation === 'Preflight') return response;
    const cors = await this.#options.deps.cors.answerHeaders(progress.address.bucket, exchange.method, headers, signal);
    return cors === undefined ? response : { ...response, headers: { ...response.headers, ...cors } };
  }

  #record(exchange: Exchange, incoming: IncomingMessage, progress: Progress, startedAt: number): void {
    const { onFinished } = this.#options;
    if (onFinished === undefined) return;
    const durationMs = performance.now() - startedAt;
    const { address, failure } = progress;
    onFinished({
      requestId: exchange.requestId,
      startedAt: new Date(Date.now() - durationMs),
      durationMs,
      ...(progress.headersAt !== undefined && { timeToHeadersMs: progress.headersAt - startedAt }),
      method: exchange.method,
      operation: progress.operation,
      bucket: address.bucket,
      key: address.key,
      status: progress.status,
      ...(failure !== undefined && { errorCode: failure.code }),
      bytesReceived: exchange.requestBody.received,
      bytesSent: progress.bytesSent,
      remoteAddress: incoming.socket.remoteAddress,
      credentialName: progress.auth?.credentialName,
      userAgent: incoming.headers['user-agent'],
      ...(failure?.cause !== undefined && { cause: failure.cause }),
    });
  }
}

/** What the server's idle watch aborted the request with: what the client should hear, not what the abort caused. */
function stallOf(signal: AbortSignal): S3Error | undefined {
  return signal.aborted && signal.reason instanceof S3Error ? signal.reason : undefined;
}

/** A listing is allowed to who may list the bucket, or just the prefix that it asks for (`bucket/prefix*` in a rule). */
function authorizeRoute(
  { authorize }: OperationDeps,
  auth: AuthenticatedRequest,
  action: string,
  { bucket, key }: Address,
  query: ReadonlyMap<string, string>,
): void {
  const prefix = query.get('prefix') ?? '';
  if (!action.startsWith('s3:ListBucket') || prefix === '') {
    authorize(auth, action, bucket, key);
    return;
  }
  try {
    authorize(auth, action, bucket, '');
  } catch {
    authorize(auth, action, bucket, prefix);
  }
}
