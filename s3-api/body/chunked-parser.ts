/**
 * A push parser of aws-chunked bodies: bytes in at any boundaries, payload slices and trailers out, nothing buffered but
 * a header line in the making.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { S3Error } from '../errors.js';

/** Size, extension and signature take about 100 bytes; the rest is room for extensions that nobody has sent yet. */
const MAX_CHUNK_HEADER_BYTES = 1024;
const MAX_TRAILER_BYTES = 16 * 1024;
/** Hexadecimal digits of a size below 2^53. */
const MAX_SIZE_DIGITS = 13;
const LF = 0x0a;

export interface ChunkedEvents {
  /** A chunk of this many bytes begins; `signature` is that of its header line, where it has one. */
  chunkStart(size: number, signature: string | undefined): void;
  /** A slice of the input, not a copy. */
  data(bytes: Buffer): void;
  /** All bytes of the chunk were given; also of the last one, whose size is 0. */
  chunkEnd(): void;
  /** In order of appearance; name in lower case. */
  trailer(name: string, value: string): void;
}

type State = 'header' | 'data' | 'data-end' | 'trailer' | 'done';

export class ChunkedParser {
  readonly #events: ChunkedEvents;
  readonly #trailers: boolean;
  #state: State = 'header';
  /** Bytes of the chunk still to come. */
  #remaining = 0;
  /** A line whose end has not come yet. */
  #line: Buffer[] = [];
  #lineBytes = 0;
  #trailerBytes = 0;

  /** `trailers`: whether trailing headers may follow the last chunk. */
  constructor(events: ChunkedEvents, trailers: boolean) {
    this.#events = events;
    this.#trailers = trailers;
  }

  /** Throws InvalidRequest or MalformedTrailerError for framing that is not aws-chunked, and whatever the events throw. */
  push(input: Buffer): void {
    let at = 0;
    while (at < input.length) {
      if (this.#state === 'data') {
        const end = Math.min(input.length, at + this.#remaining);
        this.#events.data(input.subarray(at, end));
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) {
          this.#events.chunkEnd();
          this.#state = 'data-end';
        }
        continue;
      }
      const feed = input.indexOf(LF, at);
      const end = feed < 0 ? input.length : feed;
      this.#keep(input.subarray(at, end));
      at = end + 1;
      if (feed >= 0) this.#takeLine();
    }
  }

  /** Throws IncompleteBody where the body stopped short of its last line. */
  end(): void {
    if (this.#state === 'done') return;
    throw incompleteBody('The request body terminated unexpectedly');
  }

  #keep(bytes: Buffer): void {
    this.#lineBytes += bytes.length;
    if (this.#state === 'trailer' || this.#state === 'done') {
      this.#trailerBytes += bytes.length + 1;
      if (this.#trailerBytes > MAX_TRAILER_BYTES) throw malformedTrailer();
    } else if (this.#lineBytes > MAX_CHUNK_HEADER_BYTES) throw malformed('a chunk header is too long');
    if (bytes.length > 0) this.#line.push(bytes);
  }

  #takeLine(): void {
    const first = this.#line[0];
    const text = this.#line.length === 1 && first !== undefined ? first : Buffer.concat(this.#line, this.#lineBytes);
    const line = text.toString('latin1').replace(/\r$/, '');
    this.#line = [];
    this.#lineBytes = 0;
    switch (this.#state) {
      case 'header':
        this.#takeHeader(line);
        break;
      case 'data-end':
        if (line !== '') throw malformed('a chunk is longer than its header says');
        this.#state = 'header';
        break;
      case 'trailer':
      case 'done':
        this.#takeTrailer(line);
        break;
      case 'data':
        throw new Error('a line cannot end within chunk data');
    }
  }

  #takeHeader(line: string): void {
    const [digits = '', ...extensions] = line.split(';');
    if (!/^[0-9a-f]+$/i.test(digits.trimEnd()) || digits.trimEnd().length > MAX_SIZE_DIGITS)
      throw malformed('a chunk size is not a hexadecimal number');
    const size = Number.parseInt(digits, 16);
    const signature = extensions.map((text) => /^\s*chunk-signature=(.*)$/.exec(text)?.[1]).find((each) => each);
    this.#events.chunkStart(size, signature);
    this.#remaining = size;
    if (size > 0) this.#state = 'data';
    else {
      this.#events.chunkEnd();
      this.#state = 'trailer';
    }
  }

  /** Some clients put an empty line before the trailer's signature, hence lines are taken after one too. */
  #takeTrailer(line: string): void {
    if (line === '') {
      this.#state = 'done';
      return;
    }
    const colon = line.indexOf(':');
    if (colon <= 0 || !this.#trailers) throw malformedTrailer();
    this.#events.trailer(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    this.#state = 'trailer';
  }
}

export function incompleteBody(message: string, cause?: unknown): S3Error {
  return new S3Error('IncompleteBody', message, { cause });
}

export function malformedTrailer(): S3Error {
  return new S3Error(
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}

function malformed(detail: string): S3Error {
  return new S3Error('InvalidRequest', `The aws-chunked body is malformed: ${detail}.`);
}
