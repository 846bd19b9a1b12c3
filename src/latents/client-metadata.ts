/** The client's user metadata inside a container's header, for objects whose facts leave it no room under S3's 2 KB. */
import { z } from 'zod';
import type { UserMetadata } from '../../s3-api/index.js';

/** Name of the container attribute. */
export const CLIENT_METADATA_ATTRIBUTE = 'user-metadata';

const schema = z.record(z.string(), z.string());

export function serialiseClientMetadata(metadata: UserMetadata): string {
  return JSON.stringify(metadata);
}

/** Empty where the container has none; throws where it is not what `serialiseClientMetadata` wrote. */
export function parseClientMetadata(text: string | undefined): UserMetadata {
  return text === undefined ? {} : schema.parse(JSON.parse(text));
}
