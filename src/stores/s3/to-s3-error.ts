/** What a client of ours hears when the backing store, or the way to it, fails. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { errors, S3_ERROR_STATUS, S3Error, type S3ErrorCode } from '../../../s3-api/errors.js';

const RETRY_AFTER_SECONDS = 2;

/** Faults of the gateway's own credentials: not the client's business. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'AuthorizationHeaderMalformed',
]);

/** Fields of an S3 error document that are about the backing request, not about what is wrong. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['Code', 'Message', 'RequestId', 'HostId', 'Resource', 'BucketName']);

/** What the failed request was about, in the client's names. */
export interface FailedRequest {
  readonly bucket?: string;
  readonly key?: string;
}

/** The S3 error of a failed call; anything that is neither an answer nor a fault of the network comes back as it is. */
export function toS3Error(fault: unknown, request: FailedRequest): unknown {
  if (!(fault instanceof S3ServiceException)) return isNetworkFault(fault) ? unavailable(fault) : fault;
  const status = fault.$metadata.httpStatusCode ?? 0;
  const cause = causeOf(fault);
  const { name } = fault;
  if (OWN_FAULTS.has(name))
    return new S3Error('InternalError', 'We encountered an internal error. Please try again.', { cause });
  if (name === 'SlowDown' || status === 503 || status === 429) return errors.slowDown(RETRY_AFTER_SECONDS, cause);
  if (status >= 500 && status !== 501) return unavailable(cause);
  if (isKnownCode(name) && name !== 'NotModified') {
    const fields = fieldsOf(fault, request);
    return new S3Error(name, fault.message === '' ? name : fault.message, { cause, fields });
  }
  return byStatus(status, fault, cause, request);
}

/** Answers to HEAD have no body, and some servers have codes of their own. */
function byStatus(
  status: number,
  fault: S3ServiceException,
  cause: Error,
  { bucket = '', key }: FailedRequest,
): S3Error {
  switch (status) {
    case 304:
      return new S3Error('NotModified', 'Not Modified', { cause, headers: validatorsOf(fault) });
    case 403:
      return new S3Error('AccessDenied', 'Access Denied', { cause });
    case 404:
      return key === undefined ? errors.noSuchBucket(bucket) : errors.noSuchKey(key);
    case 412:
      return errors.preconditionFailed('If-Match');
    case 416:
      return new S3Error('InvalidRange', 'The requested range is not satisfiable', { cause });
    case 501:
      return new S3Error('NotImplemented', 'The backing store does not implement this.', { cause });
    default:
      return new S3Error('InvalidRequest', fault.message, { cause });
  }
}

function fieldsOf(fault: S3ServiceException, { bucket, key }: FailedRequest): Record<string, string> {
  const given = Object.entries(fault).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && /^[A-Z][A-Za-z]*$/.test(entry[0]) && !OWN_FIELDS.has(entry[0]),
  );
  return {
    ...Object.fromEntries(given),
    ...(fault.name === 'NoSuchBucket' && bucket !== undefined && { BucketName: bucket }),
    ...(key !== undefined && { Key: key }),
  };
}

/** For the log: what the store said and its request id; the SDK's own error drags the signed request along. */
function causeOf(fault: S3ServiceException): Error {
  const { httpStatusCode = 0, requestId = 'unknown', attempts = 1 } = fault.$metadata;
  return new Error(
    `${fault.name}: ${fault.message} (status ${httpStatusCode}, request ${requestId}, ${attempts} attempts)`,
  );
}

function unavailable(cause: unknown): S3Error {
  return new S3Error('ServiceUnavailable', 'The backing store does not answer. Please try again.', {
    cause,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

/** Timeouts, the deadline's abort, and errors of sockets and name servers (they carry a code such as ECONNRESET). */
function isNetworkFault(fault: unknown): boolean {
  if (!(fault instanceof Error)) return false;
  return ['AbortError', 'TimeoutError'].includes(fault.name) || ('code' in fault && typeof fault.code === 'string');
}

function isKnownCode(name: string): name is S3ErrorCode {
  return Object.hasOwn(S3_ERROR_STATUS, name);
}

function validatorsOf(fault: S3ServiceException): Record<string, string> {
  const headers = fault.$response?.headers ?? {};
  return Object.fromEntries(
    ['etag', 'last-modified'].flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}

/** A copy has no representation to be unmodified: S3 answers PreconditionFailed where other servers answer 304. */
export function throwCopyError(error: unknown): never {
  if (error instanceof S3Error && error.code === 'NotModified')
    throw errors.preconditionFailed('x-amz-copy-source-If-None-Match');
  throw error;
}
