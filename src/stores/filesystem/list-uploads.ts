/** One page of ListMultipartUploads: ordered by key, then by time; several uploads may share a key. */
import { commonPrefixOf } from '../../../s3-api/list-page.js';
import type {
  ListMultipartUploadsOptions,
  MultipartUpload,
  MultipartUploadListing,
} from '../../../s3-api/object-store.js';
import { objectKey, prefixEnd, uploadKey, type MetadataIndex } from './metadata-index.js';
import { describeUpload } from './multipart-uploads.js';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export async function listUploads(
  index: MetadataIndex,
  bucket: string,
  options: ListMultipartUploadsOptions,
): Promise<MultipartUploadListing> {
  const { prefix = '', delimiter, maxUploads } = options;
  const uploads: MultipartUpload[] = [];
  const commonPrefixes: string[] = [];
  const end = prefixEnd(objectKey(bucket, prefix));
  let start = startOf(bucket, options);
  let last: { readonly key: string; readonly uploadId?: string } | undefined;
  for (let more = maxUploads > 0; more;) {
    more = false;
    for await (const { value } of index.scan(index.uploads, start, end)) {
      if (uploads.length + commonPrefixes.length === maxUploads)
        return {
          uploads,
          commonPrefixes,
          isTruncated: true,
          ...(last !== undefined && { nextKeyMarker: last.key }),
          ...(last?.uploadId !== undefined && { nextUploadIdMarker: last.uploadId }),
        };
      const group = commonPrefixOf(value.key, prefix, delimiter);
      if (group === undefined) {
        uploads.push(describeUpload(value));
        last = { key: value.key, uploadId: value.uploadId };
        continue;
      }
      commonPrefixes.push(group);
      last = { key: group };
      start = prefixEnd(objectKey(bucket, group));
      more = true;
      break;
    }
  }
  return { uploads, commonPrefixes, isTruncated: false };
}

function startOf(bucket: string, options: ListMultipartUploadsOptions): Buffer {
  const { prefix = '', delimiter, keyMarker, uploadIdMarker } = options;
  const first = objectKey(bucket, prefix);
  if (keyMarker === undefined || keyMarker === '') return first;
  const group = keyMarker.startsWith(prefix) ? commonPrefixOf(keyMarker, prefix, delimiter) : undefined;
  let after: Buffer;
  if (group !== undefined) after = prefixEnd(objectKey(bucket, group));
  else if (uploadIdMarker === undefined || uploadIdMarker === '') after = prefixEnd(uploadKey(bucket, keyMarker, ''));
  else after = Buffer.concat([uploadKey(bucket, keyMarker, uploadIdMarker), Buffer.of(0)]);
  return Buffer.compare(after, first) < 0 ? first : after;
}
