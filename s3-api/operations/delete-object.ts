/** DeleteObject. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
import { parseEtagList } from '../etag.js';
import { errors } from '../errors.js';
import type { DeleteResult } from '../object-store.js';
import type { Operation } from '../operation.js';
import { emptyResponse } from '../s3-response.js';

export const deleteObject: Operation = async (request, { store }, signal) => {
  const { headers } = request;
  for (const name of ['x-amz-if-match-last-modified-time', 'x-amz-if-match-size'])
    if (headers.has(name)) throw errors.notImplemented(name);
  const ifMatch = headers.get('if-match');
  const versionId = request.query.get('versionId');
  const result = await store.deleteObject(
    request.bucket,
    request.key,
    {
      ...(versionId !== undefined && versionId !== '' && { versionId }),
      ...(ifMatch !== undefined && { conditions: { ifMatch: parseEtagList(ifMatch) } }),
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
