/** How a latent-backed object lies in the backing store: which metadata stands beside the container, and which inside. */
import type { SystemMetadata, UserMetadata } from '../../s3-api/index.js';
import { CONTAINER_CONTENT_TYPE, factsToMetadata, metadataBytes, uploadMark, type LatentFacts } from './facts.js';

/** S3's limit on user metadata, in bytes. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_METADATA_BYTES = 2048;
/** What the facts of an object may take of it; a name of a model is the only part without a fixed length. */
const MAX_FACTS_BYTES = 704;

/** Whether a client's metadata and the facts have room together; where not, the container's header takes the client's. */
export function fitsBesideFacts(clientMetadata: UserMetadata): boolean {
  return metadataBytes(clientMetadata) + MAX_FACTS_BYTES <= MAX_METADATA_BYTES;
}

/**
 * Headers of the stored container; the content encoding was the upload's.
 *
 * @param uploadId of the upload in parts that the object is made of
 */
export function storedMetadata(
  facts: LatentFacts,
  client: { readonly systemMetadata: SystemMetadata; readonly userMetadata: UserMetadata },
  uploadId?: string,
): { readonly systemMetadata: SystemMetadata; readonly userMetadata: UserMetadata } {
  const { contentEncoding: _ofTheUpload, ...systemMetadata } = client.systemMetadata;
  return {
    systemMetadata: { ...systemMetadata, contentType: CONTAINER_CONTENT_TYPE },
    userMetadata: {
      ...(facts.metadataInContainer ? {} : client.userMetadata),
      ...factsToMetadata(facts),
      ...uploadMark(uploadId),
    },
  };
}
