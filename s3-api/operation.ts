/** The shape of an S3 operation, what it may use, and the row that puts it into the route table. */
import type { FormFields, VerifiedForm } from './auth/post-policy.js';
import type { AuthenticatedRequest } from './auth/types.js';
import type { BucketCors } from './cors.js';
import type { ObjectStore } from './object-store.js';
import type { S3Request } from './s3-request.js';
import type { S3Response } from './s3-response.js';

export interface Owner {
  /** Canonical user id: 64 hex digits. */
  readonly id: string;
  readonly displayName: string;
}

export interface OperationDeps {
  readonly store: ObjectStore;
  readonly region: string;
  /** The account that owns every bucket and object here. */
  readonly owner: Owner;
  readonly cors: BucketCors;
  /** Throws AccessDenied where the caller's rules do not allow `action` on `bucket/key`. */
  readonly authorize: (auth: AuthenticatedRequest, action: string, bucket: string, key: string) => void;
  /** Verifies the signature of a browser form. Throws as header authentication does. */
  readonly authenticateForm: (fields: FormFields) => VerifiedForm;
  readonly now: () => Date;
}

export type Operation = (request: S3Request, deps: OperationDeps, signal: AbortSignal) => Promise<S3Response>;

export type Level = 'service' | 'bucket' | 'object';

/** One row of the route table: the most specific row of its method and level whose conditions all hold takes the request. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly level: Level;
  /** Query parameters that must be there: the sub-resource (`tagging`), or `name=value`. */
  readonly query?: readonly string[];
  /** A header that must be there. */
  readonly header?: string;
  /** The API's name of the operation, for logs and metrics. */
  readonly name: string;
  /** What the caller must be allowed on the request's bucket and key; `by-operation` where the body says more. */
  readonly action: `s3:${string}` | 'by-operation';
  readonly handler: Operation;
}

/**
 * A row: `route('PUT', 'object?tagging', 'PutObjectTagging', 's3:PutObjectTagging', putObjectTagging)`. Further
 * conditions are joined with `&`; `header` names a header that must be there.
 */
export function route(
  method: Route['method'],
  resource: Level | `${Level}?${string}`,
  name: string,
  action: Route['action'],
  handler: Operation,
  header?: string,
): Route {
  const question = resource.indexOf('?');
  const level = (question < 0 ? resource : resource.slice(0, question)) as Level;
  return {
    method,
    level,
    name,
    action,
    handler,
    ...(question >= 0 && { query: resource.slice(question + 1).split('&') }),
    ...(header !== undefined && { header }),
  };
}
