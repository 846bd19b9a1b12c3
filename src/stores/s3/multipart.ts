/** Multipart uploads, handed through one by one. */
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type MultipartUpload as SdkUpload,
} from '@aws-sdk/client-s3';
import { formatRange, resolveCopyRange } from '../../../s3-api/byte-range.js';
import { S3Error } from '../../../s3-api/errors.js';
import type {
  ByteRange,
  CompletedPart,
  CompleteMultipartOptions,
  CopySource,
  CreateMultipartOptions,
  ListMultipartUploadsOptions,
  ListPartsOptions,
  MultipartUpload,
  MultipartUploadListing,
  PartInfo,
  PartListing,
  UploadPartCopyOptions,
  UploadPartOptions,
  WriteResult,
} from '../../../s3-api/object-store.js';
import type { Backing } from './backing.js';
import {
  checksumField,
  checksumsField,
  conditionFields,
  knownAlgorithms,
  metadataFields,
  storageClassField,
  taggingField,
  unquote,
  writeResult,
} from './convert.js';
import { headObject } from './read-objects.js';
import { throwCopyError } from './to-s3-error.js';
import { inValidChunks, PART_BYTES, readSmall } from './upload-body.js';
import { requestedChecksum } from './requested-checksum.js';

export async function createMultipartUpload(
  backing: Backing,
  bucket: string,
  key: string,
  options: CreateMultipartOptions,
  signal: AbortSignal,
): Promise<MultipartUpload> {
  const { storageClass, checksumAlgorithm, checksumType, passThroughHeaders: headers } = options;
  const command = new CreateMultipartUploadCommand({
    ...backing.object(bucket, key),
    ...metadataFields(options.systemMetadata, options.userMetadata),
    ...taggingField(options.tags),
    ...storageClassField(storageClass),
    ...(checksumAlgorithm && { ChecksumAlgorithm: checksumAlgorithm }),
    ...(checksumType && { ChecksumType: checksumType }),
  });
  const { UploadId = '' } = await backing.client.send(command, { signal, bucket, key, headers });
  return {
    key,
    uploadId: UploadId,
    initiated: new Date(),
    ...(storageClass !== undefined && { storageClass }),
    ...(checksumAlgorithm && { checksumAlgorithm }),
    ...(checksumType && { checksumType }),
  };
}

/** A small part is read first and can be sent again; a larger one streams. */
export async function uploadPart(
  backing: Backing,
  bucket: string,
  key: string,
  uploadId: string,
  partNumber: number,
  body: Readable,
  options: UploadPartOptions,
  signal: AbortSignal,
): Promise<PartInfo> {
  const { contentLength, passThroughHeaders: headers } = options;
  try {
    if (contentLength === undefined)
      throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
    const content = contentLength <= PART_BYTES ? await readSmall(body, contentLength) : inValidChunks(body);
    const command = new UploadPartCommand({
      ...backing.part(bucket, key, uploadId, partNumber),
      ContentLength: contentLength,
      Body: content,
      ...requestedChecksum(options.checksum, content),
    });
    const stream = content instanceof Uint8Array ? {} : { body: content };
    const output = await backing.client.send(command, { signal, bucket, key, headers, unbounded: true, ...stream });
    return {
      partNumber,
      size: contentLength,
      etag: unquote(output.ETag),
      lastModified: new Date(),
      // One that only framed the stream is not the upload's: a client that repeats it at Complete would be refused.
      ...(options.checksum === undefined && !(content instanceof Uint8Array) ? {} : checksumsField(output)),
    };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

export async function uploadPartCopy(
  backing: Backing,
  source: CopySource & { readonly range?: ByteRange },
  bucket: string,
  key: string,
  uploadId: string,
  partNumber: number,
  { passThroughHeaders: headers }: UploadPartCopyOptions,
  signal: AbortSignal,
): Promise<PartInfo> {
  const { range, versionId } = source;
  const readOptions = versionId === undefined ? {} : { versionId };
  const { info } = await headObject(backing, source.bucket, source.key, readOptions, signal);
  const resolved = range === undefined ? { first: 0, last: info.size - 1 } : resolveCopyRange(range, info.size);
  const command = new UploadPartCopyCommand({
    ...backing.part(bucket, key, uploadId, partNumber),
    ...backing.copySource(source),
    ...(range && { CopySourceRange: formatRange({ kind: 'from', ...resolved }) }),
  });
  const { CopyPartResult: copied = {} } = await backing.client
    .send(command, { signal, bucket, key, headers, unbounded: true })
    .catch(throwCopyError);
  return {
    partNumber,
    size: resolved.last - resolved.first + 1,
    etag: unquote(copied.ETag),
    lastModified: copied.LastModified ?? new Date(),
    ...checksumsField(copied),
  };
}

export async function completeMultipartUpload(
  backing: Backing,
  bucket: string,
  key: string,
  uploadId: string,
  parts: readonly CompletedPart[],
  { checksum, checksumType, mpuObjectSize, conditions }: CompleteMultipartOptions,
  signal: AbortSignal,
): Promise<WriteResult> {
  const command = new CompleteMultipartUploadCommand({
    ...backing.object(bucket, key),
    UploadId: uploadId,
    MultipartUpload: {
      Parts: parts.map(({ partNumber, etag, checksums = [] }) => ({
        PartNumber: partNumber,
        ETag: `"${etag}"`,
        ...checksumField(checksums[0]),
      })),
    },
    ...checksumField(checksum),
    ...(checksumType && { ChecksumType: checksumType }),
    ...(mpuObjectSize !== undefined && { MpuObjectSize: mpuObjectSize }),
    ...conditionFields(conditions),
  });
  return writeResult(await backing.client.send(command, { signal, bucket, key, unbounded: true }));
}

export async function abortMultipartUpload(
  backing: Backing,
  bucket: string,
  key: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<void> {
  const command = new AbortMultipartUploadCommand({ ...backing.object(bucket, key), UploadId: uploadId });
  await backing.client.send(command, { signal, bucket, key });
}

export async function listParts(
  backing: Backing,
  bucket: string,
  key: string,
  uploadId: string,
  { partNumberMarker, maxParts }: ListPartsOptions,
  signal: AbortSignal,
): Promise<PartListing> {
  const command = new ListPartsCommand({
    ...backing.object(bucket, key),
    UploadId: uploadId,
    MaxParts: maxParts,
    ...(partNumberMarker !== undefined && { PartNumberMarker: String(partNumberMarker) }),
  });
  const output = await backing.client.send(command, { signal, bucket, key });
  const parts = (output.Parts ?? []).map((part) => ({
    partNumber: part.PartNumber ?? 0,
    size: part.Size ?? 0,
    etag: unquote(part.ETag),
    lastModified: part.LastModified ?? new Date(0),
    ...checksumsField(part),
  }));
  const isTruncated = output.IsTruncated === true;
  const next = Number(output.NextPartNumberMarker);
  return {
    // S3's answer does not say when the upload began.
    upload: toUpload({ ...output, Key: key, UploadId: uploadId }),
    parts,
    isTruncated,
    ...(isTruncated && next > 0 && { nextPartNumberMarker: next }),
  };
}

export async function listMultipartUploads(
  backing: Backing,
  bucket: string,
  { prefix, delimiter, keyMarker, uploadIdMarker, maxUploads }: ListMultipartUploadsOptions,
  signal: AbortSignal,
): Promise<MultipartUploadListing> {
  const command = new ListMultipartUploadsCommand({
    ...backing.bucket(bucket),
    MaxUploads: maxUploads,
    ...(prefix !== undefined && { Prefix: prefix }),
    ...(delimiter !== undefined && { Delimiter: delimiter }),
    ...(keyMarker !== undefined && { KeyMarker: keyMarker }),
    ...(uploadIdMarker !== undefined && { UploadIdMarker: uploadIdMarker }),
  });
  const output = await backing.client.send(command, { signal, bucket });
  const isTruncated = output.IsTruncated === true;
  return {
    uploads: (output.Uploads ?? []).map(toUpload),
    commonPrefixes: (output.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? []),
    isTruncated,
    ...(isTruncated && output.NextKeyMarker !== undefined && { nextKeyMarker: output.NextKeyMarker }),
    ...(isTruncated && output.NextUploadIdMarker !== undefined && { nextUploadIdMarker: output.NextUploadIdMarker }),
  };
}

function toUpload({ Key = '', UploadId = '', Initiated, ...upload }: SdkUpload): MultipartUpload {
  const { StorageClass: storageClass, ChecksumType: checksumType } = upload;
  const [checksumAlgorithm] = knownAlgorithms(upload.ChecksumAlgorithm && [upload.ChecksumAlgorithm]);
  return {
    key: Key,
    uploadId: UploadId,
    initiated: Initiated ?? new Date(0),
    ...(storageClass !== undefined && { storageClass }),
    ...(checksumAlgorithm !== undefined && { checksumAlgorithm }),
    ...(checksumType !== undefined && { checksumType }),
  };
}
