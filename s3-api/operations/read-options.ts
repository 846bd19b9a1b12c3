/** What GET and HEAD of an object share: the options that the request asks for. */
import { parseRange } from '../byte-range.js';
import { parseConditions } from '../conditions.js';
import { errors } from '../errors.js';
import { passThroughHeaders, readPreferences } from '../headers/pass-through.js';
import type { ReadOptions } from '../object-store.js';
import type { S3Request } from '../s3-request.js';

export const MAX_PART_NUMBER = 10_000;

/** Throws InvalidArgument or InvalidRequest where parameters make no sense together. */
export function readOptions(request: S3Request): ReadOptions {
  const { headers, query } = request;
  const conditions = parseConditions(headers);
  const rangeHeader = headers.get('range');
  const range = rangeHeader === undefined ? undefined : parseRange(rangeHeader);
  const partNumber = query.has('partNumber') ? parsePartNumber(request) : undefined;
  if (partNumber !== undefined && rangeHeader !== undefined)
    throw errors.invalidRequest('Cannot specify both Range header and partNumber query parameter');
  const versionId = query.get('versionId');
  if (versionId === '') throw errors.invalidArgument('versionId', '', 'Version id cannot be the empty string');
  const preferences = readPreferences(request);
  const passed = passThroughHeaders(headers);
  return {
    ...(conditions !== undefined && { conditions }),
    ...(range !== undefined && { range }),
    ...(partNumber !== undefined && { partNumber }),
    ...(versionId !== undefined && { versionId }),
    ...(preferences !== undefined && { preferences }),
    ...(passed !== undefined && { passThroughHeaders: passed }),
  };
}

/** Reads `partNumber`, 1 to 10,000. Throws InvalidArgument. */
export function parsePartNumber(request: S3Request): number {
  const text = request.query.get('partNumber') ?? '';
  const partNumber = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (partNumber < 1 || partNumber > MAX_PART_NUMBER)
    throw errors.invalidArgument(
      'partNumber',
      text,
      `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`,
    );
  return partNumber;
}
