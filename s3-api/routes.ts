/** Every operation, once: what request reaches it, what it is called, what it needs to be allowed. */
import { abortMultipartUpload } from './operations/abort-multipart-upload.js';
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from './operations/access-control-list.js';
import { deleteBucketCors, getBucketCors, putBucketCors } from './operations/bucket-cors.js';
import {
  deleteBucketEncryption,
  deleteBucketLifecycle,
  getBucketEncryption,
  getBucketLifecycle,
  getBucketVersioning,
  putBucketEncryption,
  putBucketLifecycle,
  putBucketVersioning,
} from './operations/bucket-lifecycle.js';
import {
  deleteBucketPolicy,
  getBucketPolicy,
  getBucketPolicyStatus,
  putBucketPolicy,
} from './operations/bucket-policy.js';
import {
  defaultSetting,
  deleteUnsetSetting,
  noConfigurations,
  OWNER_ENFORCED,
  putBucketOwnershipControls,
  unsetSetting,
} from './operations/bucket-settings.js';
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from './operations/bucket-tagging.js';
import { completeMultipartUpload } from './operations/complete-multipart-upload.js';
import { copyObject } from './operations/copy-object.js';
import { createBucket } from './operations/create-bucket.js';
import { createMultipartUpload } from './operations/create-multipart-upload.js';
import { deleteBucket } from './operations/delete-bucket.js';
import { deleteObject } from './operations/delete-object.js';
import { deleteObjectTagging } from './operations/delete-object-tagging.js';
import { deleteObjects } from './operations/delete-objects.js';
import { getBucketLocation } from './operations/get-bucket-location.js';
import { getObject } from './operations/get-object.js';
import { getObjectAttributes } from './operations/get-object-attributes.js';
import { getObjectTagging } from './operations/get-object-tagging.js';
import { headBucket } from './operations/head-bucket.js';
import { headObject } from './operations/head-object.js';
import { listBuckets } from './operations/list-buckets.js';
import { listMultipartUploads } from './operations/list-multipart-uploads.js';
import { listObjectVersions } from './operations/list-object-versions.js';
import { listObjects } from './operations/list-objects.js';
import { listObjectsV2 } from './operations/list-objects-v2.js';
import { listParts } from './operations/list-parts.js';
import { withoutObjectLock } from './operations/object-lock.js';
import { postObject } from './operations/post-object.js';
import { putObject } from './operations/put-object.js';
import { putObjectTagging } from './operations/put-object-tagging.js';
import { uploadPart } from './operations/upload-part.js';
import { uploadPartCopy } from './operations/upload-part-copy.js';
import { route, type Operation, type Route } from './operation.js';

/**
 * The table. Action names are those of AWS's service authorization reference.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export const ROUTES: readonly Route[] = [
  route('GET', 'service', 'ListBuckets', 's3:ListAllMyBuckets', listBuckets),

  route('GET', 'bucket', 'ListObjects', 's3:ListBucket', listObjects),
  route('GET', 'bucket?list-type=2', 'ListObjectsV2', 's3:ListBucket', listObjectsV2),
  route('GET', 'bucket?versions', 'ListObjectVersions', 's3:ListBucketVersions', listObjectVersions),
  route('GET', 'bucket?uploads', 'ListMultipartUploads', 's3:ListBucketMultipartUploads', listMultipartUploads),
  route('HEAD', 'bucket', 'HeadBucket', 's3:ListBucket', headBucket),
  route('PUT', 'bucket', 'CreateBucket', 's3:CreateBucket', createBucket),
  route('DELETE', 'bucket', 'DeleteBucket', 's3:DeleteBucket', deleteBucket),
  route('POST', 'bucket', 'PostObject', 'by-operation', postObject),
  route('POST', 'bucket?delete', 'DeleteObjects', 'by-operation', deleteObjects),

  route('GET', 'bucket?location', 'GetBucketLocation', 's3:GetBucketLocation', getBucketLocation),
  route('GET', 'bucket?cors', 'GetBucketCors', 's3:GetBucketCORS', getBucketCors),
  route('PUT', 'bucket?cors', 'PutBucketCors', 's3:PutBucketCORS', putBucketCors),
  route('DELETE', 'bucket?cors', 'DeleteBucketCors', 's3:PutBucketCORS', deleteBucketCors),
  route('GET', 'bucket?tagging', 'GetBucketTagging', 's3:GetBucketTagging', getBucketTagging),
  route('PUT', 'bucket?tagging', 'PutBucketTagging', 's3:PutBucketTagging', putBucketTagging),
  route('DELETE', 'bucket?tagging', 'DeleteBucketTagging', 's3:PutBucketTagging', deleteBucketTagging),
  route('GET', 'bucket?policy', 'GetBucketPolicy', 's3:GetBucketPolicy', getBucketPolicy),
  route('PUT', 'bucket?policy', 'PutBucketPolicy', 's3:PutBucketPolicy', putBucketPolicy),
  route('DELETE', 'bucket?policy', 'DeleteBucketPolicy', 's3:DeleteBucketPolicy', deleteBucketPolicy),
  route('GET', 'bucket?policyStatus', 'GetBucketPolicyStatus', 's3:GetBucketPolicyStatus', getBucketPolicyStatus),
  route('GET', 'bucket?acl', 'GetBucketAcl', 's3:GetBucketAcl', getBucketAcl),
  route('PUT', 'bucket?acl', 'PutBucketAcl', 's3:PutBucketAcl', putBucketAcl),
  route('GET', 'bucket?lifecycle', 'GetBucketLifecycle', 's3:GetLifecycleConfiguration', getBucketLifecycle),
  route('PUT', 'bucket?lifecycle', 'PutBucketLifecycle', 's3:PutLifecycleConfiguration', putBucketLifecycle),
  route('DELETE', 'bucket?lifecycle', 'DeleteBucketLifecycle', 's3:PutLifecycleConfiguration', deleteBucketLifecycle),
  route('GET', 'bucket?versioning', 'GetBucketVersioning', 's3:GetBucketVersioning', getBucketVersioning),
  route('PUT', 'bucket?versioning', 'PutBucketVersioning', 's3:PutBucketVersioning', putBucketVersioning),
  route('GET', 'bucket?encryption', 'GetBucketEncryption', 's3:GetEncryptionConfiguration', getBucketEncryption),
  route('PUT', 'bucket?encryption', 'PutBucketEncryption', 's3:PutEncryptionConfiguration', putBucketEncryption),
  route(
    'DELETE',
    'bucket?encryption',
    'DeleteBucketEncryption',
    's3:PutEncryptionConfiguration',
    deleteBucketEncryption,
  ),

  route(
    'PUT',
    'bucket?ownershipControls',
    'PutBucketOwnershipControls',
    's3:PutBucketOwnershipControls',
    putBucketOwnershipControls,
  ),
  ...unsetBucketSettings(),

  route('GET', 'object', 'GetObject', 's3:GetObject', getObject),
  route('HEAD', 'object', 'HeadObject', 's3:GetObject', headObject),
  route('PUT', 'object', 'PutObject', 's3:PutObject', putObject),
  route('PUT', 'object', 'CopyObject', 's3:PutObject', copyObject, 'x-amz-copy-source'),
  route('DELETE', 'object', 'DeleteObject', 's3:DeleteObject', deleteObject),
  route('GET', 'object?attributes', 'GetObjectAttributes', 's3:GetObjectAttributes', getObjectAttributes),
  route('GET', 'object?tagging', 'GetObjectTagging', 's3:GetObjectTagging', getObjectTagging),
  route('PUT', 'object?tagging', 'PutObjectTagging', 's3:PutObjectTagging', putObjectTagging),
  route('DELETE', 'object?tagging', 'DeleteObjectTagging', 's3:DeleteObjectTagging', deleteObjectTagging),
  route('GET', 'object?acl', 'GetObjectAcl', 's3:GetObjectAcl', getObjectAcl),
  route('PUT', 'object?acl', 'PutObjectAcl', 's3:PutObjectAcl', putObjectAcl),
  route('GET', 'object?retention', 'GetObjectRetention', 's3:GetObjectRetention', withoutObjectLock),
  route('PUT', 'object?retention', 'PutObjectRetention', 's3:PutObjectRetention', withoutObjectLock),
  route('GET', 'object?legal-hold', 'GetObjectLegalHold', 's3:GetObjectLegalHold', withoutObjectLock),
  route('PUT', 'object?legal-hold', 'PutObjectLegalHold', 's3:PutObjectLegalHold', withoutObjectLock),

  route('POST', 'object?uploads', 'CreateMultipartUpload', 's3:PutObject', createMultipartUpload),
  route('PUT', 'object?uploadId&partNumber', 'UploadPart', 's3:PutObject', uploadPart),
  route('PUT', 'object?uploadId&partNumber', 'UploadPartCopy', 's3:PutObject', uploadPartCopy, 'x-amz-copy-source'),
  route('POST', 'object?uploadId', 'CompleteMultipartUpload', 's3:PutObject', completeMultipartUpload),
  route('DELETE', 'object?uploadId', 'AbortMultipartUpload', 's3:AbortMultipartUpload', abortMultipartUpload),
  route('GET', 'object?uploadId', 'ListParts', 's3:ListMultipartUploadParts', listParts),
];

/** Settings that no bucket here has: each is answered as S3 answers before it was ever set. */
function unsetBucketSettings(): readonly Route[] {
  const get = (subResource: string, name: string, action: string, handler: Operation) =>
    route('GET', `bucket?${subResource}`, `GetBucket${name}`, `s3:${action}`, handler);
  const remove = (subResource: string, name: string, action: string) =>
    route('DELETE', `bucket?${subResource}`, `DeleteBucket${name}`, `s3:${action}`, deleteUnsetSetting);
  const ownership = { Rule: { ObjectOwnership: OWNER_ENFORCED } };
  return [
    get(
      'publicAccessBlock',
      'PublicAccessBlock',
      'GetBucketPublicAccessBlock',
      unsetSetting('NoSuchPublicAccessBlockConfiguration'),
    ),
    remove('publicAccessBlock', 'PublicAccessBlock', 'PutBucketPublicAccessBlock'),
    get(
      'ownershipControls',
      'OwnershipControls',
      'GetBucketOwnershipControls',
      defaultSetting('OwnershipControls', ownership),
    ),
    get(
      'requestPayment',
      'RequestPayment',
      'GetBucketRequestPayment',
      defaultSetting('RequestPaymentConfiguration', { Payer: 'BucketOwner' }),
    ),
    get('logging', 'Logging', 'GetBucketLogging', defaultSetting('BucketLoggingStatus')),
    get('notification', 'Notification', 'GetBucketNotification', defaultSetting('NotificationConfiguration')),
    get('accelerate', 'Accelerate', 'GetAccelerateConfiguration', defaultSetting('AccelerateConfiguration')),
    get('website', 'Website', 'GetBucketWebsite', unsetSetting('NoSuchWebsiteConfiguration')),
    remove('website', 'Website', 'DeleteBucketWebsite'),
    get(
      'replication',
      'Replication',
      'GetReplicationConfiguration',
      unsetSetting('ReplicationConfigurationNotFoundError'),
    ),
    remove('replication', 'Replication', 'PutReplicationConfiguration'),
    get(
      'object-lock',
      'ObjectLockConfiguration',
      'GetBucketObjectLockConfiguration',
      unsetSetting('ObjectLockConfigurationNotFoundError'),
    ),
    get('inventory', 'Inventory', 'GetInventoryConfiguration', noConfigurations('ListInventoryConfigurationsResult')),
    get('metrics', 'Metrics', 'GetMetricsConfiguration', noConfigurations('ListMetricsConfigurationsResult')),
    get(
      'analytics',
      'Analytics',
      'GetAnalyticsConfiguration',
      noConfigurations('ListBucketAnalyticsConfigurationResult'),
    ),
    get(
      'intelligent-tiering',
      'IntelligentTiering',
      'GetIntelligentTieringConfiguration',
      noConfigurations('ListBucketIntelligentTieringConfigurationsOutput'),
    ),
  ];
}
