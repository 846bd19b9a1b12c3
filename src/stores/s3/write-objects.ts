/** PutObject in one request or in parts, DeleteObject, CopyObject and tags. */
import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type {
  CompletedPart,
  CopyOptions,
  CopyResult,
  CopySource,
  DeleteOptions,
  DeleteResult,
  TagSet,
  WriteOptions,
  WriteResult,
} from '../../../s3-api/object-store.js';
import type { Backing } from './backing.js';
import {
  checksumsOf,
  conditionFields,
  etagList,
  metadataFields,
  storageClassField,
  taggingField,
  unquote,
  writeResult,
} from './convert.js';
import { requestedChecksum } from './requested-checksum.js';
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload } from './multipart.js';
import { throwCopyError } from './to-s3-error.js';
import {
  checkLength,
  inPieces,
  inValidChunks,
  MAX_SINGLE_PUT_BYTES,
  PART_BYTES,
  partSizes,
  readSmall,
} from './upload-body.js';

/** An upload that failed is taken back within this time, whether or not its client is still there. */
const ABORT_TIMEOUT_MS = 10_000;

/**
 * Small bodies are read first and sent from memory, so that a fault of the network can be retried; larger ones of known
 * length stream in one request; those of unknown length, or over 5 GiB, go as a multipart upload with one part in memory.
 */
export async function putObject(
  backing: Backing,
  bucket: string,
  key: string,
  body: Readable,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<WriteResult> {
  const { contentLength } = options;
  try {
    if (contentLength !== undefined && contentLength <= PART_BYTES) {
      return await putSingle(backing, bucket, key, await readSmall(body, contentLength), options, signal);
    }
    if (contentLength !== undefined && contentLength <= MAX_SINGLE_PUT_BYTES) {
      return await putSingle(backing, bucket, key, inValidChunks(body), options, signal);
    }
    const size = partSizes(contentLength);
    const pieces = inPieces(body, size);
    const first = await pieces.next();
    if (first.done === true) throw new Error('a body has at least one piece');
    if (first.value.byteLength < size(1)) return await putSingle(backing, bucket, key, first.value, options, signal);
    return await putInParts(backing, bucket, key, first.value, pieces, options, signal);
  } catch (error) {
    body.destroy();
    throw error;
  }
}

async function putSingle(
  backing: Backing,
  bucket: string,
  key: string,
  body: Readable | Uint8Array,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<WriteResult> {
  const command = new PutObjectCommand({
    ...backing.object(bucket, key),
    ...metadataFields(options.systemMetadata, options.userMetadata),
    ...taggingField(options.tags),
    ...conditionFields(options.conditions),
    ...storageClassField(options.storageClass),
    ...requestedChecksum(options.checksum, body),
    ContentLength: body instanceof Uint8Array ? body.byteLength : options.contentLength,
    Body: body,
  });
  const { passThroughHeaders: headers } = options;
  const stream = body instanceof Uint8Array ? {} : { body };
  return writeResult(await backing.client.send(command, { signal, bucket, key, headers, unbounded: true, ...stream }));
}

/** Nothing is visible before the end; what was sent is taken back where the body or a part fails. */
async function putInParts(
  backing: Backing,
  bucket: string,
  key: string,
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<WriteResult> {
  const { conditions, checksum, contentLength, ...create } = options;
  const type = checksum?.algorithm.startsWith('CRC') === true ? 'FULL_OBJECT' : 'COMPOSITE';
  const asked = checksum && ({ checksumAlgorithm: checksum.algorithm, checksumType: type } as const);
  const { uploadId } = await createMultipartUpload(backing, bucket, key, { ...create, ...asked }, signal);
  const parts: CompletedPart[] = [];
  let length = 0;
  const upload = async (piece: Uint8Array) => {
    const command = new UploadPartCommand({
      ...backing.part(bucket, key, uploadId, parts.length + 1),
      Body: piece,
      ContentLength: piece.byteLength,
      ...(checksum && { ChecksumAlgorithm: checksum.algorithm }),
    });
    const { passThroughHeaders: headers } = options;
    const output = await backing.client.send(command, { signal, bucket, key, headers, unbounded: true });
    parts.push({ partNumber: parts.length + 1, etag: unquote(output.ETag), checksums: checksumsOf(output) });
    length += piece.byteLength;
  };
  try {
    await upload(first);
    for await (const piece of rest) await upload(piece);
    checkLength(length, contentLength);
    const value = type === 'FULL_OBJECT' ? checksum?.value() : undefined;
    const whole =
      checksum &&
      value !== undefined &&
      ({ checksumType: type, checksum: { algorithm: checksum.algorithm, type, value } } as const);
    return await completeMultipartUpload(
      backing,
      bucket,
      key,
      uploadId,
      parts,
      { ...(conditions && { conditions }), ...whole },
      signal,
    );
  } catch (error) {
    // The fault that ended the upload is the one to tell; a part that stays is the bucket's lifecycle rules' to remove.
    await abortMultipartUpload(backing, bucket, key, uploadId, AbortSignal.timeout(ABORT_TIMEOUT_MS)).catch(
      () => undefined,
    );
    throw error;
  }
}

export async function deleteObject(
  backing: Backing,
  bucket: string,
  key: string,
  { versionId, conditions }: DeleteOptions,
  signal: AbortSignal,
): Promise<DeleteResult> {
  const command = new DeleteObjectCommand({
    ...backing.object(bucket, key),
    ...(versionId !== undefined && { VersionId: versionId }),
    ...(conditions?.ifMatch && { IfMatch: etagList(conditions.ifMatch) }),
    ...(conditions?.ifMatchSize !== undefined && { IfMatchSize: conditions.ifMatchSize }),
    ...(conditions?.ifMatchLastModified && { IfMatchLastModifiedTime: conditions.ifMatchLastModified }),
  });
  const output = await backing.client.send(command, { signal, bucket, key });
  return {
    ...(output.VersionId !== undefined && { versionId: output.VersionId }),
    ...(output.DeleteMarker !== undefined && { deleteMarker: output.DeleteMarker }),
  };
}

export async function copyObject(
  backing: Backing,
  source: CopySource,
  bucket: string,
  key: string,
  options: CopyOptions,
  signal: AbortSignal,
): Promise<CopyResult> {
  const { replaceMetadata, replaceTags, checksumAlgorithm, storageClass, conditions } = options;
  const command = new CopyObjectCommand({
    ...backing.object(bucket, key),
    ...backing.copySource(source),
    ...(replaceMetadata && {
      ...metadataFields(replaceMetadata.systemMetadata, replaceMetadata.userMetadata),
      MetadataDirective: 'REPLACE' as const,
    }),
    ...(replaceTags && { TaggingDirective: 'REPLACE' as const, ...taggingField(replaceTags) }),
    ...(checksumAlgorithm && { ChecksumAlgorithm: checksumAlgorithm }),
    ...storageClassField(storageClass),
    ...conditionFields(conditions),
  });
  const { passThroughHeaders: headers } = options;
  const output = await backing.client
    .send(command, { signal, bucket: source.bucket, key: source.key, headers, unbounded: true })
    .catch(throwCopyError);
  const { CopyObjectResult: copied = {}, CopySourceVersionId: sourceVersionId } = output;
  return {
    ...writeResult({ ...output, ...copied }),
    lastModified: copied.LastModified ?? new Date(),
    ...(sourceVersionId !== undefined && { sourceVersionId }),
  };
}

export async function putObjectTags(
  backing: Backing,
  bucket: string,
  key: string,
  tags: TagSet,
  signal: AbortSignal,
): Promise<void> {
  const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const command = new PutObjectTaggingCommand({ ...backing.object(bucket, key), Tagging: { TagSet } });
  await backing.client.send(command, { signal, bucket, key });
}
