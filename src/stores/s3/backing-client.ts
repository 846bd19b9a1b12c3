/** The AWS SDK's client, with a deadline, one way to turn its failures into S3 errors, and headers handed through. */
import { S3Client, S3ServiceException, type ServiceInputTypes, type ServiceOutputTypes } from '@aws-sdk/client-s3';
import type { Command } from '@smithy/types';
import { errors, S3_ERROR_STATUS, S3Error, type S3ErrorCode } from '../../../s3-api/index.js';

/** Where the backing S3 is, and how long it may take. */
export interface BackingClientOptions {
  /** Absent: AWS by region. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Absent: the SDK's default chain. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  readonly forcePathStyle: boolean;
  /** Sockets. */
  readonly maxConnections: number;
  /** Seconds for a request with its retries, up to the head of the answer; a body takes the time that it takes. */
  readonly deadlineSeconds: number;
}

type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Command<
  ServiceInputTypes,
  Input,
  ServiceOutputTypes,
  Output,
  S3Client['config']
>;

export interface SendOptions {
  readonly signal: AbortSignal;
  /** Names in lower case; `host`-like or signing headers never come here. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** An upload takes as long as its client sends: no deadline. */
  readonly unbounded?: boolean;
  /** For the error of a missing key or bucket. */
  readonly bucket?: string;
  readonly key?: string;
}

const CONNECTION_TIMEOUT_MS = 5_000;
const MAX_ATTEMPTS = 4;
const RETRY_AFTER_SECONDS = 2;

/** Faults of the gateway's own credentials: not the client's business. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'AuthorizationHeaderMalformed',
]);

export class BackingClient {
  readonly #client: S3Client;
  readonly #deadlineMs: number;

  constructor(options: BackingClientOptions) {
    const {
      endpoint,
      region,
      accessKeyId,
      secretAccessKey,
      sessionToken,
      forcePathStyle,
      maxConnections,
      deadlineSeconds,
    } = options;
    this.#deadlineMs = deadlineSeconds * 1000;
    const agent = { keepAlive: true, maxSockets: maxConnections };
    this.#client = new S3Client({
      region,
      forcePathStyle,
      maxAttempts: MAX_ATTEMPTS,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      followRegionRedirects: true,
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, httpAgent: agent, httpsAgent: agent },
      ...(endpoint !== undefined && { endpoint }),
      ...(accessKeyId !== undefined &&
        secretAccessKey !== undefined && {
          credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
        }),
    });
  }

  /**
   * Sends a command; retries are the SDK's, inside the deadline. A stream as body is sent once.
   *
   * @throws S3Error with the backing store's code, ServiceUnavailable where it does not answer, or the signal's reason
   */
  async send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    options: SendOptions,
  ): Promise<Output> {
    const { signal, headers, unbounded = false } = options;
    signal.throwIfAborted();
    if (headers) passHeaders(command, headers);
    const controller = new AbortController();
    const onAbort = () => controller.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = unbounded
      ? undefined
      : setTimeout(() => controller.abort(new Error('the deadline is over')), this.#deadlineMs);
    try {
      return await this.#client.send(command, { abortSignal: controller.signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason as Error;
      throw toS3Error(error, options);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

function passHeaders<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: S3Command<Input, Output>,
  headers: Readonly<Record<string, string>>,
): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      Object.assign(request.headers, headers);
      return next(args);
    },
    { step: 'build', name: 'handedThroughHeaders' },
  );
}

function toS3Error(error: unknown, { bucket = '', key }: SendOptions): unknown {
  if (error instanceof S3Error) return error;
  if (!(error instanceof S3ServiceException)) return unavailable(error);
  const status = error.$metadata.httpStatusCode ?? 0;
  const { name } = error;
  if (OWN_FAULTS.has(name))
    return new S3Error('InternalError', 'We encountered an internal error. Please try again.', { cause: error });
  if (name === 'SlowDown' || status === 503 || status === 429) return errors.slowDown(RETRY_AFTER_SECONDS, error);
  if (status >= 500 && name !== 'NotImplemented') return unavailable(error);
  if (isKnownCode(name))
    return new S3Error(name, error.message === '' ? name : error.message, {
      cause: error,
      ...(key !== undefined && { fields: { Key: key } }),
    });
  switch (status) {
    case 304:
      return new S3Error('NotModified', 'Not Modified', { cause: error, headers: validatorsOf(error) });
    case 403:
      return new S3Error('AccessDenied', 'Access Denied', { cause: error });
    case 404:
      return key === undefined ? errors.noSuchBucket(bucket) : errors.noSuchKey(key);
    case 412:
      return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
        cause: error,
      });
    case 416:
      return new S3Error('InvalidRange', 'The requested range is not satisfiable', { cause: error });
    case 501:
      return new S3Error('NotImplemented', 'The backing store does not implement this.', { cause: error });
    default:
      return new S3Error('InvalidRequest', error.message, { cause: error });
  }
}

function unavailable(cause: unknown): S3Error {
  return new S3Error('ServiceUnavailable', 'The backing store does not answer. Please try again.', {
    cause,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

function isKnownCode(name: string): name is S3ErrorCode {
  return Object.hasOwn(S3_ERROR_STATUS, name);
}

function validatorsOf(error: S3ServiceException): Record<string, string> {
  const headers = error.$response?.headers ?? {};
  return Object.fromEntries(
    ['etag', 'last-modified'].flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}
