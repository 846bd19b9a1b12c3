/** Bucket configurations that the store keeps as documents: reading, writing, removing. */
import { S3Error } from '../errors.js';
import type { BucketDocument } from '../object-store.js';
import type { OperationDeps } from '../operation.js';
import { readDocument, type S3Request } from '../s3-request.js';
import type { S3Response } from '../s3-response.js';
import { parseXml } from '../xml/parse.js';

/** S3's policies end at 20 KB; its lifecycle, CORS and other documents at 64 KB and a little. */
const MAX_DOCUMENT_BYTES = 256 * 1024;

/** The stored document, or `undefined` where there is none or the store keeps none of that kind. Rejects with NoSuchBucket. */
export async function storedDocument(
  { bucket }: S3Request,
  { store }: OperationDeps,
  document: BucketDocument,
  signal: AbortSignal,
): Promise<string | undefined> {
  await store.headBucket(bucket, signal);
  try {
    return await store.getBucketDocument(bucket, document, signal);
  } catch (error) {
    if (error instanceof S3Error && error.code === 'NotImplemented') return undefined;
    throw error;
  }
}

/** A stored document as it was put. */
export function documentResponse(text: string, contentType = 'application/xml'): S3Response {
  return { status: 200, headers: { 'content-type': contentType }, body: Buffer.from(text) };
}

/** The request's body as text. */
export async function documentText(request: S3Request): Promise<string> {
  return (await readDocument(request, MAX_DOCUMENT_BYTES)).toString('utf8');
}

/** The request's XML document, checked to be well-formed with the expected root. */
export async function xmlDocumentText(request: S3Request, root: string): Promise<string> {
  const text = await documentText(request);
  if (text.trim() === '') throw new S3Error('MissingRequestBodyError', 'Request Body is empty');
  parseXml(text, root);
  return text;
}

/** Removing what is not there succeeds, whether or not the store keeps such documents. */
export async function removeDocument(
  { bucket }: S3Request,
  { store }: OperationDeps,
  document: BucketDocument,
  signal: AbortSignal,
): Promise<void> {
  await store.headBucket(bucket, signal);
  try {
    await store.putBucketDocument(bucket, document, undefined, signal);
  } catch (error) {
    if (!(error instanceof S3Error && error.code === 'NotImplemented')) throw error;
  }
}

const MISSING = {
  NoSuchBucketPolicy: 'The bucket policy does not exist',
  NoSuchCORSConfiguration: 'The CORS configuration does not exist',
  NoSuchConfiguration: 'The specified configuration does not exist.',
  NoSuchLifecycleConfiguration: 'The lifecycle configuration does not exist',
  NoSuchPublicAccessBlockConfiguration: 'The public access block configuration was not found',
  NoSuchTagSet: 'The TagSet does not exist',
  NoSuchWebsiteConfiguration: 'The specified bucket does not have a website configuration',
  ObjectLockConfigurationNotFoundError: 'Object Lock configuration does not exist for this bucket',
  ReplicationConfigurationNotFoundError: 'The replication configuration was not found',
  ServerSideEncryptionConfigurationNotFoundError: 'The server side encryption configuration was not found',
} as const;

/** The error of a configuration that a bucket does not have. */
export function notConfigured(code: keyof typeof MISSING, bucket: string): S3Error {
  return new S3Error(code, MISSING[code], { fields: { BucketName: bucket } });
}
