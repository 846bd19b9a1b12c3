/** DeleteObjects. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
import { requireKeyLength } from '../bucket-names.js';
import { errors } from '../errors.js';
import { toS3Error } from '../http/write-response.js';
import { mapWithLimit } from '../map-with-limit.js';
import type { Conditions } from '../object-store.js';
import type { Operation, OperationDeps } from '../operation.js';
import { readDocument, type S3Request } from '../s3-request.js';
import { xmlResponse } from '../s3-response.js';
import type { XmlElement } from '../xml/build.js';
import { childElements, childText, parseXml, requiredText, type ParsedElement } from '../xml/parse.js';
import { deleteConditions } from './delete-conditions.js';
import { requireIntegrityHeader } from './integrity-header.js';

const MAX_DELETE_KEYS = 1000;
/** Room for 1000 keys of 1024 bytes, escaped, with version ids. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const CONCURRENT_DELETES = 16;

interface Target {
  readonly key: string;
  readonly versionId?: string;
  readonly conditions?: Conditions;
}

export const deleteObjects: Operation = async (request, deps, signal) => {
  requireIntegrityHeader(request.headers);
  const document = parseXml((await readDocument(request, MAX_DOCUMENT_BYTES)).toString('utf8'), 'Delete');
  const quiet = childText(document, 'Quiet')?.toLowerCase() === 'true';
  const targets = childElements(document, 'Object').map(readTarget);
  if (targets.length === 0 || targets.length > MAX_DELETE_KEYS) throw errors.malformedXml();
  await deps.store.headBucket(request.bucket, signal);
  const outcomes = await mapWithLimit(targets, CONCURRENT_DELETES, (target) =>
    deleteOne(target, request, deps, signal),
  );
  return xmlResponse('DeleteResult', {
    Deleted: quiet ? [] : outcomes.flatMap(({ deleted }) => (deleted === undefined ? [] : [deleted])),
    Error: outcomes.flatMap(({ error }) => (error === undefined ? [] : [error])),
  });
};

function readTarget(element: ParsedElement): Target {
  const key = requiredText(element, 'Key');
  const versionId = childText(element, 'VersionId');
  if (key === '') throw errors.malformedXml();
  const conditions = deleteConditions(
    childText(element, 'ETag'),
    childText(element, 'Size'),
    childText(element, 'LastModifiedTime'),
  );
  return {
    key,
    ...(versionId !== undefined && versionId !== '' && { versionId }),
    ...(conditions && { conditions }),
  };
}

async function deleteOne(
  { key, versionId, conditions }: Target,
  { bucket, auth }: S3Request,
  { store, authorize }: OperationDeps,
  signal: AbortSignal,
): Promise<{ readonly deleted?: XmlElement; readonly error?: XmlElement }> {
  try {
    requireKeyLength(key);
    authorize(auth, 's3:DeleteObject', bucket, key);
    const result = await store.deleteObject(
      bucket,
      key,
      {
        ...(versionId !== undefined && { versionId }),
        ...(conditions && { conditions }),
      },
      signal,
    );
    return {
      deleted: {
        Key: key,
        VersionId: versionId,
        ...(result.deleteMarker === true && { DeleteMarker: true, DeleteMarkerVersionId: result.versionId }),
      },
    };
  } catch (error) {
    const { code, message } = toS3Error(error);
    return { error: { Key: key, VersionId: versionId, Code: code, Message: message } };
  }
}
