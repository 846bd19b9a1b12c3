/** The stream that a request's body passes through: slices go on as they came, faults become S3Errors. */
import { Transform, type TransformCallback } from 'node:stream';
import type { ChunkSigningContext } from '../auth/types.js';
import { S3Error } from '../errors.js';
import { ChunkedParser, incompleteBody, malformedTrailer } from './chunked-parser.js';
import { ChunkSignatures } from './chunk-signatures.js';
import type { BodyIntegrity } from './integrity.js';

/** Four socket reads: enough that a store's write and the next read overlap. */
const BUFFER_BYTES = 256 * 1024;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

export interface BodyDecoderOptions {
  readonly integrity: BodyIntegrity;
  /** Decoded bytes that must come; undefined: any number up to `maxBytes`. */
  readonly expected: number | undefined;
  readonly maxBytes: number;
  /** Present: the body is aws-chunked. */
  readonly framing?: { readonly trailer: boolean };
  readonly chunkSigning?: ChunkSigningContext;
}

export class BodyDecoder extends Transform {
  readonly #options: BodyDecoderOptions;
  readonly #parser: ChunkedParser | undefined;
  readonly #signatures: ChunkSignatures | undefined;
  #received = 0;
  /** `name:value\n` lines as the trailer's signature covers them. */
  #trailer = '';
  #trailerSignature: string | undefined;

  constructor(options: BodyDecoderOptions) {
    super({ readableHighWaterMark: BUFFER_BYTES, writableHighWaterMark: BUFFER_BYTES });
    this.#options = options;
    if (options.chunkSigning !== undefined) this.#signatures = new ChunkSignatures(options.chunkSigning);
    if (options.framing !== undefined) this.#parser = this.#createParser(options.framing.trailer);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      if (this.#parser === undefined) this.#take(chunk);
      else this.#parser.push(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#parser?.end();
      const { expected, framing, integrity } = this.#options;
      if (expected !== undefined && this.#received < expected)
        throw incompleteBody('You did not provide the number of bytes specified by the Content-Length HTTP header');
      if (this.#signatures !== undefined && framing?.trailer === true) {
        if (this.#trailerSignature === undefined) throw malformedTrailer();
        this.#signatures.verifyTrailer(this.#trailer, this.#trailerSignature);
      }
      integrity.verify();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #createParser(trailers: boolean): ChunkedParser {
    return new ChunkedParser(
      {
        chunkStart: (size, signature) => {
          this.#checkRoom(size);
          this.#signatures?.start(signature);
        },
        data: (bytes) => {
          this.#signatures?.update(bytes);
          this.#take(bytes);
        },
        chunkEnd: () => this.#signatures?.end(),
        trailer: (name, value) => {
          if (this.#trailerSignature !== undefined) throw malformedTrailer();
          if (name === TRAILER_SIGNATURE && this.#signatures !== undefined) this.#trailerSignature = value;
          else {
            this.#options.integrity.takeTrailer(name, value);
            this.#trailer += `${name}:${value}\n`;
          }
        },
      },
      trailers,
    );
  }

  #take(bytes: Buffer): void {
    this.#checkRoom(bytes.length);
    this.#received += bytes.length;
    this.#options.integrity.update(bytes);
    this.push(bytes);
  }

  /** Before a byte of it is taken: more than was stated, or than is allowed. */
  #checkRoom(more: number): void {
    const { expected, maxBytes } = this.#options;
    const total = this.#received + more;
    if (expected !== undefined && total > expected)
      throw incompleteBody('You provided more bytes than specified by the Content-Length HTTP header');
    if (total > maxBytes) throw entityTooLarge(total, maxBytes);
  }
}

export function entityTooLarge(size: number, maxBytes: number): S3Error {
  return new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    fields: { ProposedSize: String(size), MaxSizeAllowed: String(maxBytes) },
  });
}
