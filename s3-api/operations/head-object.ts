/** HeadObject. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
import { objectHeaders } from '../headers/object-headers.js';
import type { Operation } from '../operation.js';
import { readOptions } from './read-options.js';

export const headObject: Operation = async (request, { store }, signal) => {
  const content = await store.headObject(request.bucket, request.key, readOptions(request), signal);
  return { status: content.range === undefined ? 200 : 206, headers: objectHeaders(request, content) };
};
