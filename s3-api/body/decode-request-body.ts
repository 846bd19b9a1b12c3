/** From the bytes on the wire to the object's bytes: framing off, everything the client stated about them verified. */
import type { Readable } from 'node:stream';
import type { AuthenticatedRequest } from '../auth/types.js';
import { S3Error } from '../errors.js';
import { headerOf, type WireRequest } from '../wire-request.js';
import { incompleteBody } from './chunked-parser.js';
import { BodyDecoder, entityTooLarge } from './body-decoder.js';
import { BodyIntegrity, readChecksumClaim } from './integrity.js';
import type { BodyLimits, DecodedBody } from './types.js';

/** S3's largest single PUT or part. */
export const MAX_PUT_BYTES = 5 * 2 ** 30;

/**
 * Starts reading `request.body`. Throws at once, with the body untouched, for what the headers alone show:
 * InvalidDigest, InvalidRequest (checksum headers), MissingContentLength, EntityTooLarge. Later faults are errors of the
 * returned stream: IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, SignatureDoesNotMatch (a chunk), InvalidRequest
 * or MalformedTrailerError (framing), EntityTooLarge. After such a fault, or when the stream is destroyed, the rest of
 * the request is read and dropped, so that the answer can be sent; bound it by the server's request timeout.
 */
export function decodeRequestBody(
  request: WireRequest,
  authenticated: AuthenticatedRequest,
  limits: BodyLimits = {},
): DecodedBody {
  const { payload, chunkSigning } = authenticated;
  const streaming = payload.kind === 'streaming' ? payload : undefined;
  const claim = limits.checksumOfAnother === true ? undefined : readChecksumClaim(request, streaming?.trailer === true);
  const integrity = new BodyIntegrity(request, payload, claim);
  const expected = decodedLength(request, streaming !== undefined, limits);
  const maxBytes = limits.maxBytes ?? MAX_PUT_BYTES;
  if (expected !== undefined && expected > maxBytes) throw entityTooLarge(expected, maxBytes);

  const decoder = new BodyDecoder({
    integrity,
    expected,
    maxBytes,
    ...(streaming === undefined ? {} : { framing: { trailer: streaming.trailer } }),
    ...(chunkSigning === undefined ? {} : { chunkSigning }),
  });
  feed(request.body, decoder);
  const checksum = integrity.requested;
  return {
    body: decoder,
    ...(expected === undefined ? {} : { contentLength: expected }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

/** The Content-Encoding to store: without `aws-chunked`, which is of the transfer; undefined where nothing is left. */
export function storedContentEncoding(header: string | undefined): string | undefined {
  const kept = header
    ?.split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked');
  return kept === undefined || kept.length === 0 ? undefined : kept.join(',');
}

/** Decoded bytes to come; undefined only for a transfer-coded body without a stated length. */
function decodedLength(request: WireRequest, streaming: boolean, limits: BodyLimits): number | undefined {
  const name = streaming ? 'x-amz-decoded-content-length' : 'content-length';
  const text = headerOf(request, name);
  if (text !== undefined) {
    if (!/^\d{1,15}$/.test(text))
      throw new S3Error('InvalidArgument', `The value of ${name} is not a number of bytes.`, {
        fields: { ArgumentName: name, ArgumentValue: text },
      });
    return Number(text);
  }
  if (!streaming && headerOf(request, 'transfer-encoding') === undefined && limits.requireLength !== true) return 0;
  if (streaming || limits.requireLength === true)
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  return undefined;
}

/** As `pipe`, but a source that breaks off is IncompleteBody, and a decoder that fails leaves the source's socket alone. */
function feed(source: Readable, decoder: BodyDecoder): void {
  const brokenOff = (cause?: unknown): void => {
    if (!source.readableEnded) decoder.destroy(incompleteBody('The request body terminated unexpectedly', cause));
  };
  source.once('error', brokenOff);
  source.once('close', brokenOff);
  decoder.once('close', () => {
    source.unpipe(decoder);
    source.off('close', brokenOff);
    // 'error' stays listened to: a connection that breaks while its rest is dropped must not bring the process down.
    if (!source.readableEnded && !source.destroyed) source.resume();
  });
  if (source.destroyed) brokenOff();
  else source.pipe(decoder);
}
