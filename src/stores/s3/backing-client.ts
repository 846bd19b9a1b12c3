/** The AWS SDK's client, with a deadline, one way to turn its failures into S3 errors, and headers handed through. */
import { Readable } from 'node:stream';
import { S3Client, type ServiceInputTypes, type ServiceOutputTypes } from '@aws-sdk/client-s3';
import type { Command } from '@smithy/types';
import { toS3Error } from './to-s3-error.js';

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

export type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Command<
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
  /** The stream that the command sends, if it sends one: its error ends the request and is the one that is thrown. */
  readonly body?: Readable;
  /** For the error of a missing key or bucket. */
  readonly bucket?: string;
  readonly key?: string;
}

const CONNECTION_TIMEOUT_MS = 5_000;
/** No byte either way for so long ends a request that has no deadline: a slow upload goes on, a dead server does not. */
const IDLE_TIMEOUT_MS = 300_000;
const MAX_ATTEMPTS = 4;

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
      requestHandler: {
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        socketTimeout: IDLE_TIMEOUT_MS,
        httpAgent: agent,
        httpsAgent: agent,
      },
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
   * @throws S3Error with the backing store's code, ServiceUnavailable where it does not answer, the error of `body`, or
   * the signal's reason
   */
  async send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    options: SendOptions,
  ): Promise<Output> {
    const { signal, headers, body, unbounded = false } = options;
    const controller = new AbortController();
    const onAbort = () => controller.abort();
    // A pipe does not tell its target that its source has failed: without this the request would wait for ever.
    let fault: Error | undefined;
    const onFault = (error: Error) => {
      fault ??= error;
      controller.abort();
    };
    if (headers) passHeaders(command, headers);
    // The listeners stay: a body may fail after the answer has come, and nobody else need be listening then.
    if (body) watchBody(command, body, onFault);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = unbounded ? undefined : setTimeout(onAbort, this.#deadlineMs);
    try {
      signal.throwIfAborted();
      if (body?.errored) throw body.errored;
      return await this.#client.send(command, { abortSignal: controller.signal });
    } catch (error) {
      body?.destroy();
      if (fault !== undefined) throw fault;
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

/**
 * Hears of failures of the body and of the stream that the SDK wraps it in to frame it: the SDK listens to neither, and
 * an error that nobody listens to ends the process.
 */
function watchBody<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: S3Command<Input, Output>,
  body: Readable,
  onFault: (error: Error) => void,
): void {
  body.on('error', onFault);
  command.middlewareStack.add(
    (next) => (args) => {
      const { body: sent } = args.request as { body: unknown };
      if (sent instanceof Readable && sent !== body) sent.on('error', onFault);
      return next(args);
    },
    { step: 'finalizeRequest', name: 'watchBody' },
  );
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
