/**
 * Where an upload that may have to be read before Complete keeps its parts: S3 lets nobody read the parts of an upload
 * in progress, so they lie beside the objects under a prefix of their own, which no listing shows.
 */
import { createHash } from 'node:crypto';

/** Sorts among the bucket's keys; reserved. */
export const STAGING_PREFIX = '.latentbox-uploads/';

const PART_DIGITS = 5;
const RECORD_NAME = 'upload.json';

/** `prefix + 32 hex digits + /`: upload ids can be longer than a key may be. */
export function uploadFolder(uploadId: string): string {
  return `${STAGING_PREFIX}${createHash('sha256').update(uploadId).digest('hex').slice(0, 32)}/`;
}

export function recordKey(uploadId: string): string {
  return uploadFolder(uploadId) + RECORD_NAME;
}

export function isRecordKey(key: string): boolean {
  return key.endsWith(`/${RECORD_NAME}`);
}

export function partKey(uploadId: string, partNumber: number): string {
  return `${uploadFolder(uploadId)}part-${String(partNumber).padStart(PART_DIGITS, '0')}`;
}

/** `undefined` for a key that is no part's. */
export function partNumberOf(key: string): number | undefined {
  const match = /\/part-(\d{5})$/.exec(key);
  return match ? Number(match[1]) : undefined;
}
