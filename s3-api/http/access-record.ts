/** What the front tells of each finished request: for access logs and metrics alike. */

export interface AccessRecord {
  readonly requestId: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  /** Milliseconds until the answer's headers were written; absent where the client left before. */
  readonly timeToHeadersMs?: number;
  readonly method: string;
  /** The API's name (`GetObject`), `Preflight`, or `Unknown` where the request never reached an operation. */
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  /** 499 where the client left before an answer. */
  readonly status: number;
  readonly errorCode?: string;
  /** Body bytes that were read off the connection. */
  readonly bytesReceived: number;
  /** Body bytes that the answer's headers promised. */
  readonly bytesSent: number;
  readonly remoteAddress: string | undefined;
  readonly credentialName: string | undefined;
  readonly userAgent: string | undefined;
  /** What went wrong inside, for the log: never shown to clients. */
  readonly cause?: unknown;
}
