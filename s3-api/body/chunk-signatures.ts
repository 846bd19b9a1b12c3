/** The signature chain over aws-chunked chunks and trailers: each signs the one before it. */
import { createHash, type Hash } from 'node:crypto';
import { equalInConstantTime, signChunk, signTrailer } from '../auth/signature.js';
import type { ChunkSigningContext } from '../auth/types.js';
import { S3Error } from '../errors.js';

export class ChunkSignatures {
  readonly #context: ChunkSigningContext;
  #previous: string;
  #expected = '';
  #hash: Hash = createHash('sha256');

  constructor(context: ChunkSigningContext) {
    this.#context = context;
    this.#previous = context.seedSignature;
  }

  /** Throws InvalidRequest where the chunk is unsigned. */
  start(signature: string | undefined): void {
    if (signature === undefined)
      throw new S3Error('InvalidRequest', 'The aws-chunked body is malformed: a chunk has no chunk-signature.');
    this.#expected = signature;
    this.#hash = createHash('sha256');
  }

  update(bytes: Buffer): void {
    this.#hash.update(bytes);
  }

  /** Throws SignatureDoesNotMatch. */
  end(): void {
    this.#link(signChunk(this.#context, this.#previous, this.#hash.digest('hex')), this.#expected);
  }

  /** `trailer` is the announced headers as `name:value\n` lines. Throws SignatureDoesNotMatch. */
  verifyTrailer(trailer: string, signature: string): void {
    this.#link(signTrailer(this.#context, this.#previous, trailer), signature);
  }

  #link(calculated: string, given: string): void {
    if (!equalInConstantTime(calculated, given))
      throw new S3Error(
        'SignatureDoesNotMatch',
        'The chunk signature we calculated does not match the signature you provided. Check your key and signing method.',
        { fields: { SignatureProvided: given } },
      );
    this.#previous = calculated;
  }
}
