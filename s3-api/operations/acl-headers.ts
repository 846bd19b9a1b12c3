/** ACL headers where ACLs are disabled: only what changes nothing is taken. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html */
import { errors, S3Error } from '../errors.js';

const HARMLESS: ReadonlySet<string> = new Set(['private', 'bucket-owner-full-control']);
const CANNED: ReadonlySet<string> = new Set([
  ...HARMLESS,
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'log-delivery-write',
]);

export function aclNotSupported(): S3Error {
  return new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs.');
}

/** Throws AccessControlListNotSupported for an ACL that would grant something, InvalidArgument for an unknown one. */
export function refuseAclHeaders(headers: ReadonlyMap<string, string>): void {
  const canned = headers.get('x-amz-acl');
  if (canned !== undefined && !CANNED.has(canned)) throw errors.invalidArgument('x-amz-acl', canned, '');
  if (canned !== undefined && !HARMLESS.has(canned)) throw aclNotSupported();
  for (const name of headers.keys()) if (name.startsWith('x-amz-grant-')) throw aclNotSupported();
}

/** As {@link refuseAclHeaders}, for a bucket to be created. */
export function refuseBucketAclHeaders(headers: ReadonlyMap<string, string>): void {
  try {
    refuseAclHeaders(headers);
  } catch (error) {
    if (error instanceof S3Error && error.code === 'AccessControlListNotSupported')
      throw new S3Error(
        'InvalidBucketAclWithObjectOwnership',
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
      );
    throw error;
  }
}
