/** Whether a principal may do something: rules of actions × resources, denied where none allows it. */
import { S3Error } from '../errors.js';
import type { AccessRule, Principal } from './credentials.js';

const ARN_PREFIX = /^arn:aws[a-z-]*:s3:::/;

/**
 * Throws AccessDenied unless a rule of the principal allows it.
 * @param action `s3:GetObject` and the like, as in AWS's service authorization reference.
 * @param bucket empty for service-level actions (`s3:ListAllMyBuckets`), which only the resource `*` covers.
 * @param key absent for bucket-level actions.
 */
export function authorize(principal: Principal, action: string, bucket: string, key?: string): void {
  if (!isAllowed(principal, action, bucket, key)) throw new S3Error('AccessDenied', 'Access Denied');
}

/** As {@link authorize}, as a question. */
export function isAllowed(principal: Principal, action: string, bucket: string, key?: string): boolean {
  const resource = key === undefined ? bucket : `${bucket}/${key}`;
  const lowered = action.toLowerCase();
  return principal.allow.some(
    (rule) =>
      rule.actions.some((pattern) => matchesWildcard(pattern.toLowerCase(), lowered)) &&
      rule.resources.some((pattern) => matchesWildcard(pattern.replace(ARN_PREFIX, ''), resource)),
  );
}

/** Rules that let anyone read objects under these `bucket/prefix*` resources, and nothing else. */
export function readOnlyRules(resources: readonly string[]): readonly AccessRule[] {
  return resources.length === 0 ? [] : [{ actions: ['s3:GetObject'], resources }];
}

/** `*` is any run of characters, `?` any one. Takes at most pattern × text steps, whatever the pattern. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === '*') {
      star = p++;
      resume = t;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
