/** The S3 front's public face: the server, the storage contract, and what stores need to keep it. */
export { createS3Api, type ListeningServer, type S3Api, type S3ApiOptions } from './s3-api.js';
export type { AccessRecord } from './http/access-record.js';
export type { ListenOptions, ServerLimits, TlsOptions } from './http/server.js';
export type { Owner } from './operation.js';

export {
  staticCredentials,
  type AccessRule,
  type Credential,
  type CredentialStore,
  type Principal,
} from './auth/credentials.js';
export { isAllowed, readOnlyRules } from './auth/authorize.js';

export * from './object-store.js';
export { errors, S3_ERROR_STATUS, S3Error, type S3ErrorCode, type S3ErrorOptions } from './errors.js';

export { formatRange, parseRange, resolveByteRange, resolveCopyRange } from './byte-range.js';
export {
  evaluateCopySourceConditions,
  evaluateDeleteConditions,
  evaluateReadConditions,
  evaluateWriteConditions,
  type Validators,
} from './conditions.js';
export { quoteEtag, unquoteEtag } from './etag.js';
export { compareKeys } from './key-order.js';
export {
  collectListPage,
  commonPrefixOf,
  isAfter,
  type ListPage,
  type ListPosition,
  type OpenKeys,
} from './list-page.js';
export { mapWithLimit } from './map-with-limit.js';
export { encodeListedKey } from './url-encoding.js';
export * from './checksums/index.js';
