/** CopyObject between files of one store. */
import { evaluateCopySourceConditions, evaluateWriteConditions } from '../../../s3-api/conditions.js';
import { errors } from '../../../s3-api/errors.js';
import type { CopyOptions, CopyResult, CopySource } from '../../../s3-api/object-store.js';
import type { VersionFacts } from './object-commits.js';
import { refuseEncryptionHeaders, refuseVersion } from './object-info.js';
import { readBodyStream } from './object-reader.js';
import type { ObjectVersion } from './records.js';
import { stageBody } from './stage-body.js';
import type { StoreParts } from './store-parts.js';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export async function copyObject(
  { reader, commits, staging, stamps }: StoreParts,
  source: CopySource,
  bucket: string,
  key: string,
  options: CopyOptions,
  signal: AbortSignal,
): Promise<CopyResult> {
  refuseVersion(source.key, source.versionId);
  refuseEncryptionHeaders(options.passThroughHeaders);
  const ontoItself = source.bucket === bucket && source.key === key;
  if (ontoItself && !changesSomething(options))
    throw errors.invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  const opened = await reader.open(source.bucket, source.key);
  const { version } = opened;
  try {
    evaluateCopySourceConditions(source.conditions, validators(version));
    if (ontoItself && keepsContent(version, options)) {
      const changed = await commits.amend(bucket, key, (current) => {
        evaluateCopySourceConditions(source.conditions, validators(current));
        evaluateWriteConditions(options.conditions, key, current);
        return { ...current, ...copiedFacts(current, options), lastModified: Date.now() };
      });
      return copyResult(changed);
    }
    // Either the stream or this function closes the handle; a second close is harmless.
    const body = await readBodyStream(opened, undefined, signal);
    const checksum = options.checksumAlgorithm ?? version.checksums?.[0]?.algorithm ?? 'CRC64NVME';
    const staged = await stageBody(body, { checksum, contentLength: version.size }, staging, stamps, signal);
    const facts: VersionFacts = {
      ...copiedFacts(version, options),
      etag: staged.md5,
      checksums: [staged.checksum],
    };
    return copyResult(await commits.publish(bucket, key, staged, facts, options.conditions));
  } finally {
    await opened.handle.close();
  }
}

function changesSomething(options: CopyOptions): boolean {
  return (
    options.replaceMetadata !== undefined ||
    options.storageClass !== undefined ||
    options.checksumAlgorithm !== undefined
  );
}

/** Whether the copy would have the same ETag and checksum, so that only the record need change. */
function keepsContent(version: ObjectVersion, { checksumAlgorithm }: CopyOptions): boolean {
  if (version.parts !== undefined) return false;
  return checksumAlgorithm === undefined || version.checksums?.[0]?.algorithm === checksumAlgorithm;
}

function copiedFacts(from: ObjectVersion, options: CopyOptions) {
  const { systemMetadata, userMetadata } = options.replaceMetadata ?? from;
  const tags = options.replaceTags ?? from.tags;
  return {
    systemMetadata,
    userMetadata,
    ...(tags !== undefined && { tags }),
    ...(options.storageClass !== undefined && { storageClass: options.storageClass }),
  };
}

const validators = ({ etag, lastModified }: ObjectVersion) => ({ etag, lastModified: new Date(lastModified) });

function copyResult({ etag, lastModified, checksums }: ObjectVersion): CopyResult {
  return { etag, lastModified: new Date(lastModified), ...(checksums !== undefined && { checksums }) };
}
