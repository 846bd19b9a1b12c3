/** Conditional requests: RFC 9110 section 13 on reads, S3's subset on writes. */
import { parseEtagList } from './etag.js';
import { errors } from './errors.js';
import type { Conditions } from './object-store.js';

/** What an object is compared by. */
export interface Validators {
  /** Unquoted. */
  readonly etag: string;
  readonly lastModified: Date;
}

/** HTTP dates have whole seconds, so stores' milliseconds must not make an object look newer. */
function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function matches(etags: readonly string[], etag: string): boolean {
  return etags.includes('*') || etags.includes(etag);
}

/**
 * Decides a conditional read in the order of RFC 9110 section 13.2.2: If-Match (or else If-Unmodified-Since), then
 * If-None-Match (or else If-Modified-Since). Throws PreconditionFailed or NotModified, returns where the read goes on.
 */
export function evaluateReadConditions(conditions: Conditions | undefined, current: Validators): void {
  if (conditions === undefined) return;
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, current.etag)) throw errors.preconditionFailed('If-Match');
  } else if (ifUnmodifiedSince !== undefined && seconds(current.lastModified) > seconds(ifUnmodifiedSince)) {
    throw errors.preconditionFailed('If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, current.etag)) throw errors.notModified(current.etag, current.lastModified);
  } else if (ifModifiedSince !== undefined && seconds(current.lastModified) <= seconds(ifModifiedSince)) {
    throw errors.notModified(current.etag, current.lastModified);
  }
}

/**
 * Decides a copy by its source's conditions: as a read, but every condition that does not hold is PreconditionFailed.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export function evaluateCopySourceConditions(conditions: Conditions | undefined, source: Validators): void {
  if (conditions === undefined) return;
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, source.etag)) throw errors.preconditionFailed('x-amz-copy-source-If-Match');
  } else if (ifUnmodifiedSince !== undefined && seconds(source.lastModified) > seconds(ifUnmodifiedSince)) {
    throw errors.preconditionFailed('x-amz-copy-source-If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, source.etag)) throw errors.preconditionFailed('x-amz-copy-source-If-None-Match');
  } else if (ifModifiedSince !== undefined && seconds(source.lastModified) <= seconds(ifModifiedSince)) {
    throw errors.preconditionFailed('x-amz-copy-source-If-Modified-Since');
  }
}

/**
 * Decides a conditional write or delete against the object that is there (`undefined`: none). Throws PreconditionFailed,
 * or NoSuchKey where If-Match meets no object. Must run in the same atomic step as the commit.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function evaluateWriteConditions(
  conditions: Conditions | undefined,
  key: string,
  current: Pick<Validators, 'etag'> | undefined,
): void {
  if (conditions === undefined) return;
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined) {
    if (current === undefined) throw errors.noSuchKey(key);
    if (!matches(ifMatch, current.etag)) throw errors.preconditionFailed('If-Match');
  }
  if (ifNoneMatch !== undefined && current !== undefined && matches(ifNoneMatch, current.etag))
    throw errors.preconditionFailed('If-None-Match');
}

/**
 * Decides a conditional delete as {@link evaluateWriteConditions}, with S3's conditions on size and time of change.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
export function evaluateDeleteConditions(
  conditions: Conditions | undefined,
  key: string,
  current: (Validators & { readonly size: number }) | undefined,
): void {
  if (conditions === undefined) return;
  evaluateWriteConditions(conditions, key, current);
  const { ifMatchSize, ifMatchLastModified } = conditions;
  if (ifMatchSize === undefined && ifMatchLastModified === undefined) return;
  if (current === undefined) throw errors.noSuchKey(key);
  if (ifMatchSize !== undefined && ifMatchSize !== current.size) throw errors.preconditionFailed('x-amz-if-match-size');
  if (ifMatchLastModified !== undefined && seconds(ifMatchLastModified) !== seconds(current.lastModified))
    throw errors.preconditionFailed('x-amz-if-match-last-modified-time');
}

/** A recipient ignores a date that is no HTTP-date (RFC 9110 section 13.1.3). */
function httpDate(value: string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Reads If-* headers whose names start with `prefix` (`x-amz-copy-source-` for copies); `undefined` where none is there. */
export function parseConditions(headers: ReadonlyMap<string, string>, prefix = ''): Conditions | undefined {
  const ifMatch = headers.get(`${prefix}if-match`);
  const ifNoneMatch = headers.get(`${prefix}if-none-match`);
  const ifModifiedSince = httpDate(headers.get(`${prefix}if-modified-since`));
  const ifUnmodifiedSince = httpDate(headers.get(`${prefix}if-unmodified-since`));
  if (
    ifMatch === undefined &&
    ifNoneMatch === undefined &&
    ifModifiedSince === undefined &&
    ifUnmodifiedSince === undefined
  )
    return undefined;
  return {
    ...(ifMatch !== undefined && { ifMatch: parseEtagList(ifMatch) }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch: parseEtagList(ifNoneMatch) }),
    ...(ifModifiedSince !== undefined && { ifModifiedSince }),
    ...(ifUnmodifiedSince !== undefined && { ifUnmodifiedSince }),
  };
}
