/** The face of body decoding: what the router hands in and what operations get. */
import type { Readable } from 'node:stream';
import type { RequestedChecksum } from '../object-store.js';

export interface BodyLimits {
  /** Bytes of the decoded body; beyond it EntityTooLarge. S3's limit for one PUT or part is 5 GiB. */
  readonly maxBytes?: number;
  /** Reject with MissingContentLength where neither Content-Length nor x-amz-decoded-content-length is there. */
  readonly requireLength?: boolean;
  /** `x-amz-checksum-*` headers speak of something else than this body (CompleteMultipartUpload's of the whole object). */
  readonly checksumOfAnother?: boolean;
}

/**
 * A body stripped of its framing. `body` errors with the right S3Error where the upload is truncated, too large, or
 * does not match a signature, digest or checksum, and ends only when all of them held; whoever gets it must consume or
 * destroy it.
 */
export interface DecodedBody {
  readonly body: Readable;
  /** Decoded bytes, where the client said. */
  readonly contentLength?: number;
  /** The checksum that the client chose. */
  readonly checksum?: RequestedChecksum;
}
