/** What a body must add up to: the digests and checksums that its headers state, and the trailer that may still come. */
import { checksumAlgorithmOf, checksumHeader, createHasher, decodeDigest } from '../checksums/index.js';
import type { DigestAlgorithm, Hasher } from '../checksums/index.js';
import type { AuthenticatedRequest } from '../auth/types.js';
import { S3Error } from '../errors.js';
import type { ChecksumAlgorithm, RequestedChecksum } from '../object-store.js';
import { headerOf, type WireRequest } from '../wire-request.js';
import { malformedTrailer } from './chunked-parser.js';

const CHECKSUM_PREFIX = 'x-amz-checksum-';
/** Share the prefix, but state no checksum. */
const NOT_CHECKSUMS = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type']);

export interface ChecksumClaim {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; absent while a trailer is awaited, or where the client left the computing to us. */
  value: string | undefined;
  readonly inTrailer: boolean;
}

/** Reads the one checksum that a client may state. Throws InvalidRequest. */
export function readChecksumClaim(request: WireRequest, trailerAllowed: boolean): ChecksumClaim | undefined {
  const stated = request.headers.filter(([name]) => name.startsWith(CHECKSUM_PREFIX) && !NOT_CHECKSUMS.has(name));
  const trailer = headerOf(request, 'x-amz-trailer')?.trim().toLowerCase();
  if (stated.length + (trailer === undefined ? 0 : 1) > 1)
    throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  const named = headerOf(request, 'x-amz-sdk-checksum-algorithm');
  const header = stated[0];

  if (header !== undefined) {
    const algorithm = algorithmOfHeader(header[0]);
    checkNamed(named, algorithm);
    if (decodeDigest(algorithm, header[1]) === undefined) throw invalid(`Value for ${header[0]} header is invalid.`);
    return { algorithm, value: header[1], inTrailer: false };
  }
  if (trailer !== undefined) {
    if (!trailerAllowed || !trailer.startsWith(CHECKSUM_PREFIX) || NOT_CHECKSUMS.has(trailer))
      throw invalid('The value specified in the x-amz-trailer header is not supported');
    const algorithm = algorithmOfHeader(trailer);
    checkNamed(named, algorithm);
    return { algorithm, value: undefined, inTrailer: true };
  }
  if (named !== undefined)
    throw invalid(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  const asked = headerOf(request, 'x-amz-checksum-algorithm');
  if (asked === undefined) return undefined;
  const algorithm = checksumAlgorithmOf(asked);
  if (algorithm === undefined) throw invalid('Checksum algorithm provided is unsupported.');
  return { algorithm, value: undefined, inTrailer: false };
}

/** Hashes the body as it passes and holds it against every claim at its end. Each algorithm runs once. */
export class BodyIntegrity {
  readonly #hashers = new Map<DigestAlgorithm, Hasher>();
  readonly #list: Hasher[] = [];
  readonly #digests = new Map<DigestAlgorithm, Buffer>();
  readonly #contentMd5: string | undefined;
  readonly #sha256: string | undefined;
  readonly #claim: ChecksumClaim | undefined;

  /** Throws InvalidDigest for a Content-MD5 that is none. */
  constructor(request: WireRequest, payload: AuthenticatedRequest['payload'], claim: ChecksumClaim | undefined) {
    this.#claim = claim;
    this.#contentMd5 = headerOf(request, 'content-md5');
    if (this.#contentMd5 !== undefined) {
      if (decodeDigest('MD5', this.#contentMd5) === undefined)
        throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.', {
          fields: { 'Content-MD5': this.#contentMd5 },
        });
      this.#need('MD5');
    }
    this.#sha256 = payload.kind === 'sha256' ? payload.hex : undefined;
    if (this.#sha256 !== undefined) this.#need('SHA256');
    if (claim !== undefined) this.#need(claim.algorithm);
  }

  /** The client's checksum, for the store; `value()` is known once {@link verify} has run. */
  get requested(): RequestedChecksum | undefined {
    const claim = this.#claim;
    if (claim === undefined) return undefined;
    return {
      algorithm: claim.algorithm,
      value: () => this.#digests.get(claim.algorithm)?.toString('base64') ?? claim.value,
    };
  }

  update(bytes: Uint8Array): void {
    for (const hasher of this.#list) hasher.update(bytes);
  }

  /** A trailing header. Throws MalformedTrailerError where it was not announced or comes twice, InvalidRequest where it is no digest. */
  takeTrailer(name: string, value: string): void {
    const claim = this.#claim;
    if (claim?.inTrailer !== true || claim.value !== undefined || name !== checksumHeader(claim.algorithm))
      throw malformedTrailer();
    if (decodeDigest(claim.algorithm, value) === undefined)
      throw invalid(`Value for ${name} trailing header is invalid.`);
    claim.value = value;
  }

  /** Once, after the last byte. Throws BadDigest, XAmzContentSHA256Mismatch, or MalformedTrailerError for a trailer that never came. */
  verify(): void {
    for (const [algorithm, hasher] of this.#hashers) this.#digests.set(algorithm, hasher.digest());
    const sha256 = this.#digests.get('SHA256')?.toString('hex');
    if (this.#sha256 !== undefined && sha256 !== undefined && this.#sha256 !== sha256)
      throw new S3Error(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        { fields: { ClientComputedContentSHA256: this.#sha256, S3ComputedContentSHA256: sha256 } },
      );
    const md5 = this.#digests.get('MD5')?.toString('base64');
    if (this.#contentMd5 !== undefined && md5 !== undefined && this.#contentMd5 !== md5)
      throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
        fields: { ExpectedDigest: this.#contentMd5, CalculatedDigest: md5 },
      });
    const claim = this.#claim;
    if (claim === undefined) return;
    if (claim.inTrailer && claim.value === undefined) throw malformedTrailer();
    if (claim.value !== undefined && claim.value !== this.#digests.get(claim.algorithm)?.toString('base64'))
      throw new S3Error('BadDigest', `The ${claim.algorithm} you specified did not match the calculated checksum.`);
  }

  #need(algorithm: DigestAlgorithm): void {
    if (this.#hashers.has(algorithm)) return;
    const hasher = createHasher(algorithm);
    this.#hashers.set(algorithm, hasher);
    this.#list.push(hasher);
  }
}

function algorithmOfHeader(name: string): ChecksumAlgorithm {
  const algorithm = checksumAlgorithmOf(name.slice(CHECKSUM_PREFIX.length));
  if (algorithm === undefined) throw invalid('The algorithm type you specified in x-amz-checksum- header is invalid.');
  return algorithm;
}

function checkNamed(named: string | undefined, algorithm: ChecksumAlgorithm): void {
  if (named !== undefined && checksumAlgorithmOf(named) !== algorithm)
    throw invalid('Value for x-amz-sdk-checksum-algorithm header is invalid.');
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', message);
}
