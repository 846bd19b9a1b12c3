/** DeleteObject. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
import type { DeleteResult } from '../object-store.js';
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';
import { deleteConditions } from './delete-conditions.js';

export const deleteObject: Operation = async (request, { store }, signal) => {
  const { headers } = request;
  const conditions = deleteConditions(
    headers.get('if-match'),
    headers.get('x-amz-if-match-size'),
    headers.get('x-amz-if-match-last-modified-time'),
  );
  const versionId = request.query.get('versionId');
  const result = await store.deleteObject(
    request.bucket,
    request.key,
    {
      ...(versionId !== undefined && versionId !== '' && { versionId }),
      ...(conditions && { conditions }),
    },
    signal,
  );
  return emptyResponse(204, deleteResultHeaders(result));
};

function deleteResultHeaders({ versionId, deleteMarker }: DeleteResult): Record<string, string> {
  return {
    ...(versionId !== undefined && { 'x-amz-version-id': versionId }),
    ...(deleteMarker === true && { 'x-amz-delete-marker': 'true' }),
  };
}
