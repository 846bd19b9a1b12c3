/** The `uploadId` parameter. */
import { errors } from '../errors.js';
import type { S3Request } from '../s3-request.js';

/** Throws NoSuchUpload where it is empty. */
export function uploadIdOf(request: S3Request): string {
  const uploadId = request.query.get('uploadId') ?? '';
  if (uploadId === '') throw errors.noSuchUpload(uploadId);
  return uploadId;
}
