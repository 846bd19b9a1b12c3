/** The request's body as a stream that can fail without taking the connection, and hence the answer, with it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { S3Error } from '../errors.js';

/** An unread body up to this many bytes is read away, so that the connection can serve the next request. */
const MAX_DISCARDED_BYTES = 256 * 1024;
/** How much, and for how long, a connection that will be closed is still read, so that the client sees the answer. */
const MAX_LINGER_BYTES = 16 * 1024 * 1024;
const LINGER_TIMEOUT_MS = 2_000;

export class RequestBody {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #awaitsContinue: boolean;
  #received = 0;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#awaitsContinue = incoming.httpVersionMinor > 0 && /^100-continue$/i.test(incoming.headers.expect ?? '');
  }

  /** Body bytes that were read so far. */
  get received(): number {
    return this.#received;
  }

  /**
   * The body, to be opened once. Its first read answers `100 Continue` where the client waits for that; destroying it
   * leaves the connection alone. It errors with IncompleteBody where the client goes away in the middle.
   */
  open(): Readable {
    const incoming = this.#incoming;
    const stream = new Readable({
      read: () => {
        if (this.#awaitsContinue) {
          this.#awaitsContinue = false;
          this.#outgoing.writeContinue();
        }
        incoming.resume();
      },
      destroy: (error, callback) => {
        incoming.off('data', onData);
        incoming.pause();
        callback(error);
      },
    });
    const onData = (chunk: Buffer) => {
      this.#received += chunk.length;
      if (!stream.push(chunk)) incoming.pause();
    };
    incoming.pause();
    incoming.on('data', onData);
    incoming.once('end', () => stream.push(null));
    // 'close' without 'end': the peer hung up, or the parser found the framing broken.
    incoming.once('error', () => undefined);
    incoming.once('close', () => {
      if (!incoming.readableEnded) stream.destroy(incompleteBody());
    });
    return stream;
  }

  /** Whether some of the body was not read from the connection yet. */
  get isUnread(): boolean {
    return !this.#incoming.complete && hasBody(this.#incoming);
  }

  /** Whether the connection must close after the answer, because too much of the body may still be on its way. */
  get mustClose(): boolean {
    if (this.#awaitsContinue) return true;
    if (!this.isUnread) return false;
    const length = this.#incoming.headers['content-length'];
    return length === undefined || Number(length) - this.#received > MAX_DISCARDED_BYTES;
  }

  /** After the answer: reads away a small rest, so that the connection can serve its next request. */
  discard(): void {
    this.#incoming.removeAllListeners('data');
    this.#incoming.resume();
  }

  /** Reads away what is left, within bounds: closing at once would reset the connection and lose the answer. */
  async linger(): Promise<void> {
    const incoming = this.#incoming;
    if (this.#awaitsContinue || incoming.complete || incoming.destroyed) return;
    await new Promise<void>((resolve) => {
      let bytes = 0;
      const timer = setTimeout(resolve, LINGER_TIMEOUT_MS);
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_LINGER_BYTES) resolve();
      });
      incoming.once('end', resolve);
      incoming.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      incoming.resume();
    });
  }
}

function hasBody(incoming: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

function incompleteBody(): S3Error {
  return new S3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  );
}
