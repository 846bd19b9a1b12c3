/** How the decode pipeline's failures reach an S3 client: each cause has one public code. */
import { S3Error } from '../../s3-api/errors.js';

/** Bounds of `Retry-After` in seconds: an instant retry would meet the same queue, a long one wastes a free device. */
const MIN_RETRY_AFTER_S = 1;
const MAX_RETRY_AFTER_S = 30;

/**
 * A queue or the memory budget is full.
 * @param expectedWaitMs how long the work already queued is expected to take
 */
export function overloaded(expectedWaitMs: number): S3Error {
  const seconds = Math.min(MAX_RETRY_AFTER_S, Math.max(MIN_RETRY_AFTER_S, Math.ceil(expectedWaitMs / 1000)));
  return new S3Error('SlowDown', 'Please reduce your request rate.', { headers: { 'Retry-After': String(seconds) } });
}

/** No installed model has the name that the object or the caller gives. */
export function unknownModel(name: string): S3Error {
  return new S3Error('InvalidRequest', `No installed model is named "${name}". Install it with: latentbox model add`);
}

/** The picture is larger than the configured bound on pixels. */
export function tooManyPixels(pixels: number, maxPixels: number): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The picture has ${pixels} pixels; this server decodes at most ${maxPixels} pixels.`,
  );
}

/** The stored bytes cannot be decoded (`cause` is the CodecError or what the decoder said). */
export function undecodable(cause: unknown): S3Error {
  return new S3Error('InternalError', 'The stored image could not be decoded.', { cause });
}

/** No device of this node can run the model now. */
export function noDevice(model: string, cause?: unknown): S3Error {
  return new S3Error('ServiceUnavailable', `No device is ready for the model "${model}".`, {
    headers: { 'Retry-After': String(MIN_RETRY_AFTER_S) },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A worker thread or inference process ended while it held a job: the job may be tried again elsewhere. */
export class WorkerCrash extends Error {
  override readonly name = 'WorkerCrash';
  /** @param begun whether the job may have been running, and so may be what ended the worker */
  constructor(
    message: string,
    readonly begun = true,
  ) {
    super(message);
  }
}

/** An inference that ran and failed (wrong shapes, out of memory, remote error): trying again would fail again. */
export class InferenceFailure extends Error {
  override readonly name = 'InferenceFailure';
}
