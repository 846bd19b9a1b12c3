/** Every object of a location, page by page, so that a bucket of any size is never in memory at once. */
import type { ListedObject, ObjectStore } from '../../s3-api/index.js';
import type { Location } from './location.js';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const MAX_KEYS = 1000;

/**
 * @param ignore prefixes that are the migration's own, such as kept originals
 * @param after the key behind which to begin
 */
export async function* listLocation(
  store: ObjectStore,
  { bucket, prefix }: Location,
  ignore: readonly string[],
  signal: AbortSignal,
  after?: string,
): AsyncGenerator<ListedObject, void, undefined> {
  let startAfter = after;
  do {
    const page = await store.listObjects(
      bucket,
      { prefix, maxKeys: MAX_KEYS, ...(startAfter !== undefined && { startAfter }) },
      signal,
    );
    for (const object of page.objects) if (!ignore.some((other) => object.key.startsWith(other))) yield object;
    startAfter = page.isTruncated ? page.nextStartAfter : undefined;
  } while (startAfter !== undefined);
}
