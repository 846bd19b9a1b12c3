/** GetObject. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
import { objectHeaders } from '../headers/object-headers.js';
import type { Operation } from '../operation.js';
import { readOptions } from './read-options.js';

export const getObject: Operation = async (request, { store }, signal) => {
  const content = await store.getObject(request.bucket, request.key, readOptions(request), signal);
  return {
    status: content.range === undefined ? 200 : 206,
    headers: objectHeaders(request, content),
    body: content.body,
  };
};
