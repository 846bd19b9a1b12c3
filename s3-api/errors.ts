/** S3's error codes as typed values: one table, one class, factories that read well. */

/** Statuses of the S3 error codes that this front answers. @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const S3_ERROR_STATUS = {
  AccessControlListNotSupported: 400,
  AccessDenied: 403,
  AccessForbidden: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BadRequest: 400,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  IncorrectNumberOfFilesInPostRequest: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketAclWithObjectOwnership: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidLocationConstraint: 400,
  InvalidPart: 400,
  InvalidPartNumber: 416,
  InvalidPartOrder: 400,
  InvalidPolicyDocument: 400,
  InvalidRange: 416,
  InvalidRedirectLocation: 400,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidTag: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedACLError: 400,
  MalformedPOSTRequest: 400,
  MalformedPolicy: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MaxMessageLengthExceeded: 400,
  MaxPostPreDataLengthExceededError: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  MissingRequestBodyError: 400,
  MissingSecurityHeader: 400,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchConfiguration: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchObjectLockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NoSuchWebsiteConfiguration: 404,
  NotImplemented: 501,
  NotModified: 304,
  ObjectLockConfigurationNotFoundError: 404,
  OwnershipControlsNotFoundError: 404,
  PermanentRedirect: 301,
  PreconditionFailed: 412,
  ReplicationConfigurationNotFoundError: 404,
  RequestHeaderSectionTooLarge: 400,
  RequestTimeTooSkewed: 403,
  RequestTimeout: 400,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  TooManyBuckets: 400,
  UnexpectedContent: 400,
  UserKeyMustBeSpecified: 400,
  XAmzContentSHA256Mismatch: 400,
} as const satisfies Record<string, number>;

export type S3ErrorCode = keyof typeof S3_ERROR_STATUS;

export interface S3ErrorOptions {
  /** Extra XML elements of the error document (`BucketName`, `Key`, `ActualObjectSize`, …). */
  readonly fields?: Readonly<Record<string, string>>;
  /** Extra response headers (`Retry-After`, `Allow`, `Content-Range`). */
  readonly headers?: Readonly<Record<string, string>>;
  /** What went wrong inside: for the log, never for the client. */
  readonly cause?: unknown;
}

/** An error that a client is told about: `message` is public and names the mend. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: S3ErrorCode;
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: S3ErrorCode, message: string, options: S3ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = S3_ERROR_STATUS[code];
    this.fields = options.fields ?? {};
    this.headers = options.headers ?? {};
  }
}

/** The errors that several operations and stores raise, worded as AWS words them. */
export const errors = {
  accessDenied: (message = 'Access Denied') => new S3Error('AccessDenied', message),

  invalidArgument: (name: string, value: string, message: string) =>
    new S3Error('InvalidArgument', message, { fields: { ArgumentName: name, ArgumentValue: value } }),

  invalidRequest: (message: string) => new S3Error('InvalidRequest', message),

  malformedXml: (cause?: unknown) =>
    new S3Error(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema.',
      { cause },
    ),

  notImplemented: (what: string) =>
    new S3Error(
      'NotImplemented',
      `A header or query you provided implies functionality that is not implemented: ${what}`,
    ),

  methodNotAllowed: (method: string, resourceType: string, allow: readonly string[]) =>
    new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      fields: { Method: method, ResourceType: resourceType },
      headers: { allow: allow.join(', ') },
    }),

  noSuchBucket: (bucket: string) =>
    new S3Error('NoSuchBucket', 'The specified bucket does not exist.', { fields: { BucketName: bucket } }),

  noSuchKey: (key: string) => new S3Error('NoSuchKey', 'The specified key does not exist.', { fields: { Key: key } }),

  noSuchVersion: (key: string, versionId: string) =>
    new S3Error('NoSuchVersion', 'The specified version does not exist.', {
      fields: { Key: key, VersionId: versionId },
    }),

  noSuchUpload: (uploadId: string) =>
    new S3Error(
      'NoSuchUpload',
      'The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      { fields: { UploadId: uploadId } },
    ),

  bucketAlreadyOwnedByYou: (bucket: string) =>
    new S3Error(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      { fields: { BucketName: bucket } },
    ),

  bucketNotEmpty: (bucket: string) =>
    new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty.', { fields: { BucketName: bucket } }),

  invalidBucketName: (bucket: string) =>
    new S3Error('InvalidBucketName', 'The specified bucket is not valid.', { fields: { BucketName: bucket } }),

  invalidPart: (uploadId: string, partNumber: number, etag: string) =>
    new S3Error(
      'InvalidPart',
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { fields: { UploadId: uploadId, PartNumber: String(partNumber), ETag: etag } },
    ),

  invalidPartOrder: (uploadId: string) =>
    new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
      { fields: { UploadId: uploadId } },
    ),

  entityTooSmall: (partNumber: number, size: number, minimum: number, etag: string) =>
    new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      fields: {
        ProposedSize: String(size),
        MinSizeAllowed: String(minimum),
        PartNumber: String(partNumber),
        ETag: etag,
      },
    }),

  invalidPartNumber: (requested: number, actual: number) =>
    new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
      fields: { PartNumberRequested: String(requested), ActualPartCount: String(actual) },
    }),

  /** `requested` is the Range header's text. */
  invalidRange: (requested: string, size: number) =>
    new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      fields: { RangeRequested: requested, ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    }),

  /** `condition` is the name of the header that did not hold. */
  preconditionFailed: (condition: string) =>
    new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold.', {
      fields: { Condition: condition },
    }),

  /** RFC 9110 section 15.4.5 wants the validators repeated. */
  notModified: (etag: string, lastModified: Date) =>
    new S3Error('NotModified', 'Not Modified', {
      headers: { etag: `"${etag}"`, 'last-modified': lastModified.toUTCString() },
    }),

  slowDown: (retryAfterSeconds = 1, cause?: unknown) =>
    new S3Error('SlowDown', 'Please reduce your request rate.', {
      headers: { 'retry-after': String(retryAfterSeconds) },
      cause,
    }),
} as const;
