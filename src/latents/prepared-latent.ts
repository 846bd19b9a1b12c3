/** A latent that is ready to be stored, and where the client's own metadata goes with it. */
import type { UserMetadata } from '../../s3-api/index.js';
import { CLIENT_METADATA_ATTRIBUTE, serialiseClientMetadata } from './client-metadata.js';
import type { LatentFacts } from './facts.js';
import type { Rendering } from './image-renderer.js';
import type { LatentIngest } from './ingest-pool.js';
import { fitsBesideFacts } from './stored-form.js';

export interface PreparedLatent {
  readonly container: Uint8Array;
  readonly facts: LatentFacts;
  readonly rendering?: Rendering;
}

/** Puts metadata that S3's limit leaves no room for into the container's header. */
export async function placeMetadata(
  ingest: LatentIngest,
  container: Uint8Array,
  clientMetadata: UserMetadata,
  signal: AbortSignal,
): Promise<{ readonly container: Uint8Array; readonly metadataInContainer: boolean }> {
  if (fitsBesideFacts(clientMetadata)) return { container, metadataInContainer: false };
  const attributes = { [CLIENT_METADATA_ATTRIBUTE]: serialiseClientMetadata(clientMetadata) };
  return { container: await ingest.withAttributes(container, attributes, signal), metadataInContainer: true };
}
