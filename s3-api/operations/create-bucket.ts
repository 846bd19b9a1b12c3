/** CreateBucket. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
import { requireBucketName } from '../bucket-names.js';
import { errors, S3Error } from '../errors.js';
import type { Operation } from '../operation.js';
import { readDocument } from '../s3-request.js';
import { emptyResponse } from '../s3-response.js';
import { childText, parseXml } from '../xml/parse.js';
import { refuseBucketAclHeaders } from './acl-headers.js';
import { OBJECT_OWNERSHIPS } from './bucket-settings.js';

const MAX_CONFIGURATION_BYTES = 64 * 1024;

export const createBucket: Operation = async (request, { store, region }, signal) => {
  requireBucketName(request.bucket);
  refuseBucketAclHeaders(request.headers);
  requireOwnership(request.headers.get('x-amz-object-ownership'));
  if (request.headers.get('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true')
    throw errors.notImplemented('x-amz-bucket-object-lock-enabled');
  const configuration = (await readDocument(request, MAX_CONFIGURATION_BYTES)).toString('utf8');
  if (configuration.trim() !== '') requireThisRegion(configuration, region);
  await store.createBucket(request.bucket, signal);
  return emptyResponse(200, { location: `/${request.bucket}`, 'x-amz-bucket-arn': `arn:aws:s3:::${request.bucket}` });
};

/** Every bucket is owner-enforced whatever is asked for, as GetBucketOwnershipControls says; only nonsense is refused. */
function requireOwnership(ownership: string | undefined): void {
  if (ownership === undefined || OBJECT_OWNERSHIPS.has(ownership)) return;
  throw errors.invalidArgument(
    'x-amz-object-ownership',
    ownership,
    `Invalid x-amz-object-ownership header: ${ownership}`,
  );
}

function requireThisRegion(configuration: string, region: string): void {
  const constraint = childText(parseXml(configuration, 'CreateBucketConfiguration'), 'LocationConstraint');
  if (constraint === undefined || constraint === '' || constraint === region) return;
  throw /^[a-z]{2}(?:-[a-z]+)+-\d$|^EU$/.test(constraint)
    ? new S3Error(
        'IllegalLocationConstraintException',
        `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      )
    : new S3Error('InvalidLocationConstraint', 'The specified location-constraint is not valid', {
        fields: { LocationConstraint: constraint },
      });
}
