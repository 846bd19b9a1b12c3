/**
 * Browser uploads: the policy document of a POST form, its signature, and its conditions.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
import { z } from 'zod';
import { S3Error } from '../errors.js';
import { parseScope, parseTimestamp, type ScopeFault } from './scope.js';
import type { Credential } from './credentials.js';
import { hmacSha1 } from './query-v2.js';
import { ALGORITHM, equalInConstantTime, sign, signingKey } from './signature.js';
import type { AuthenticatedRequest, AuthenticationDeps } from './types.js';
import { findCredential, signatureDoesNotMatch } from './verify.js';

/** Form fields before the file, names in lower case. */
export type FormFields = ReadonlyMap<string, string>;

export type PolicyCondition =
  /** `field` in lower case, without `$`. */
  | { readonly kind: 'eq' | 'starts-with'; readonly field: string; readonly value: string }
  /** Bytes of the file, both ends included. */
  | { readonly kind: 'content-length-range'; readonly min: number; readonly max: number };

export interface PostPolicy {
  readonly expiration: Date;
  readonly conditions: readonly PolicyCondition[];
}

export interface VerifiedForm {
  readonly authenticated: AuthenticatedRequest;
  /** Absent for an anonymous form without a policy. */
  readonly policy?: PostPolicy;
}

/** Fields that need no condition of their own: the signature, the file, and what AWS exempts. */
const EXEMPT_FIELDS = new Set(['x-amz-signature', 'file', 'policy', 'awsaccesskeyid', 'signature']);

/**
 * Verifies the form's signature over its policy and parses the policy; what it demands is for {@link checkPostPolicy}.
 * Version 2 (`AWSAccessKeyId`, `signature`) is taken beside version 4: boto3's `generate_presigned_post` makes it by
 * default, and it signs the whole policy as well. A form with neither policy nor credential is anonymous. Throws as header authentication does, and with
 * InvalidPolicyDocument.
 */
export function verifyPostPolicy(fields: FormFields, deps: AuthenticationDeps): VerifiedForm {
  const encoded = fields.get('policy');
  const credentialText = fields.get('x-amz-credential');
  if (encoded === undefined && credentialText === undefined && !fields.has('awsaccesskeyid'))
    return { authenticated: formOf({ name: 'anonymous', allow: deps.credentials.anonymous }, 'anonymous') };

  const take = (name: string): string => {
    const value = fields.get(name);
    if (value !== undefined && value !== '') return value;
    throw new S3Error(
      'InvalidArgument',
      `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      {
        fields: { ArgumentName: name, ArgumentValue: '' },
      },
    );
  };
  const document = take('policy');
  const accessKey = fields.get('awsaccesskeyid');
  if (accessKey !== undefined && credentialText === undefined) {
    const signature = take('signature');
    const credential = findCredential(deps.credentials, accessKey, fields.get('x-amz-security-token'));
    if (!equalInConstantTime(hmacSha1(credential.secretAccessKey, document), signature))
      throw signatureDoesNotMatch(accessKey, signature, document);
    return verified(credential, document);
  }
  if (take('x-amz-algorithm') !== ALGORITHM)
    throw new S3Error('InvalidArgument', `x-amz-algorithm only supports "${ALGORITHM}"`, {
      fields: { ArgumentName: 'x-amz-algorithm', ArgumentValue: take('x-amz-algorithm') },
    });
  const timestamp = take('x-amz-date');
  if (parseTimestamp(timestamp) === undefined)
    throw new S3Error('InvalidArgument', `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`, {
      fields: { ArgumentName: 'x-amz-date', ArgumentValue: timestamp },
    });
  const scope = parseScope(take('x-amz-credential'), timestamp, deps.region, malformedCredential);
  const signature = take('x-amz-signature');
  const credential = findCredential(deps.credentials, scope.accessKeyId, fields.get('x-amz-security-token'));
  if (!equalInConstantTime(sign(signingKey(credential, scope), document), signature))
    throw signatureDoesNotMatch(credential.accessKeyId, signature, document);

  return verified(credential, document);
}

function verified({ name, accessKeyId, allow }: Credential, document: string): VerifiedForm {
  return {
    authenticated: formOf({ name, accessKeyId, allow }, 'post-policy'),
    policy: parsePolicy(document),
  };
}

/**
 * Holds the form against its policy. Call it once before the file with `fileSize` absent (a size limit is then left
 * out) and once with the size; `fields` must have `bucket` and the final `key` filled in. A policy must name its bucket,
 * or it would hold for every one. Throws AccessDenied,
 * EntityTooLarge or EntityTooSmall.
 */
export function checkPostPolicy(policy: PostPolicy, fields: FormFields, now: Date, fileSize?: number): void {
  if (policy.expiration.getTime() <= now.getTime()) throw denied('Policy expired.');
  const covered = new Set(EXEMPT_FIELDS);
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      if (fileSize !== undefined) checkFileSize(condition, fileSize);
      continue;
    }
    covered.add(condition.field);
    const actual = fields.get(condition.field) ?? '';
    if (!holds(condition, actual))
      throw denied(`Policy Condition failed: ["${condition.kind}", "$${condition.field}", "${condition.value}"]`);
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !name.startsWith('x-ignore-'));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ')}`);
}

/** The largest file that the policy allows, for the body decoder's limit; undefined where it names none. */
export function maxFileSize(policy: PostPolicy): number | undefined {
  const limits = policy.conditions.flatMap((each) => (each.kind === 'content-length-range' ? [each.max] : []));
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function holds(condition: Extract<PolicyCondition, { field: string }>, actual: string): boolean {
  if (condition.kind === 'eq') return actual === condition.value;
  // S3: a comma-separated Content-Type must match as a whole list.
  const values = condition.field === 'content-type' ? actual.split(',') : [actual];
  return values.every((value) => value.startsWith(condition.value));
}

function checkFileSize({ min, max }: { readonly min: number; readonly max: number }, size: number): void {
  if (size > max)
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      fields: { ProposedSize: String(size), MaxSizeAllowed: String(max) },
    });
  if (size < min)
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      fields: { ProposedSize: String(size), MinSizeAllowed: String(min) },
    });
}

const bytes = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.number().int().nonnegative());
const fieldName = z
  .string()
  .regex(/^\$./)
  .transform((name) => name.slice(1).toLowerCase());
const condition = z.union([
  z
    .tuple([z.string().regex(/^content-length-range$/i), bytes, bytes])
    .transform(([, min, max]): PolicyCondition[] => [{ kind: 'content-length-range', min, max }]),
  z
    .tuple([z.string().regex(/^(eq|starts-with)$/i), fieldName, z.string()])
    .transform(([kind, field, value]): PolicyCondition[] => [
      { kind: kind.toLowerCase() === 'eq' ? 'eq' : 'starts-with', field, value },
    ]),
  z
    .record(z.string(), z.string())
    .refine((pairs) => Object.keys(pairs).length === 1, 'must have exactly one property')
    .transform((pairs): PolicyCondition[] =>
      Object.entries(pairs).map(([field, value]) => ({ kind: 'eq', field: field.toLowerCase(), value })),
    ),
]);
const policySchema = z.object({
  expiration: z.iso.datetime().transform((text) => new Date(text)),
  conditions: z.array(condition).transform((lists) => lists.flat()),
});

/** Reads a base64 policy document. Throws InvalidPolicyDocument. */
export function parsePolicy(encoded: string): PostPolicy {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  } catch (cause) {
    throw new S3Error('InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.', { cause });
  }
  const parsed = policySchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new S3Error('InvalidPolicyDocument', `Invalid Policy: Invalid '${where === '' ? 'document' : where}'.`);
}

const malformedCredential: ScopeFault = (detail, fields = {}) =>
  new S3Error('AuthorizationQueryParametersError', `Error parsing the X-Amz-Credential parameter; ${detail}`, {
    fields,
  });

function denied(detail: string): S3Error {
  return new S3Error('AccessDenied', `Invalid according to Policy: ${detail}`);
}

function formOf(
  principal: AuthenticatedRequest['principal'],
  method: 'post-policy' | 'anonymous',
): AuthenticatedRequest {
  const { accessKeyId, name } = principal;
  return { principal, accessKeyId, credentialName: name, method, payload: { kind: 'unsigned' } };
}
