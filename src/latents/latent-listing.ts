/** LIST: the backing store's listing with the sizes and ETags that clients get, from facts remembered or fetched. */
import type { ListedObject, ObjectListing, ObjectStore, ListOptions } from '../../s3-api/index.js';
import { mapWithLimit, S3Error } from '../../s3-api/index.js';
import { factsFromMetadata } from './facts.js';
import type { FactsIndex, IndexedFacts } from './facts-index.js';
import type { ImageSource } from './image-source.js';

/** HEADs to the backing store at once for one listing whose facts are not known yet. */
const CONCURRENT_HEADS = 32;

export class LatentListing {
  constructor(
    private readonly backing: ObjectStore,
    private readonly index: FactsIndex,
    private readonly source: ImageSource,
  ) {}

  async list(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ObjectListing> {
    const listing = await this.backing.listObjects(bucket, options, signal);
    const objects: (ListedObject | undefined)[] = [...listing.objects];
    const unknown: number[] = [];
    for (const [position, object] of listing.objects.entries()) {
      const facts = this.index.get({ bucket, key: object.key, etag: object.etag });
      if (!facts || (facts.kind === 'latent' && !facts.render)) unknown.push(position);
      else objects[position] = this.#served(object, facts);
    }
    await mapWithLimit(unknown, CONCURRENT_HEADS, async (position) => {
      const object = listing.objects[position];
      if (object) objects[position] = await this.#resolve(bucket, object, signal);
    });
    return { ...listing, objects: objects.filter((object) => object !== undefined) };
  }

  /** Undefined where the object was deleted since the backing store listed it. */
  async #resolve(bucket: string, object: ListedObject, signal: AbortSignal): Promise<ListedObject | undefined> {
    try {
      const { info } = await this.backing.headObject(bucket, object.key, {}, signal);
      const version = { bucket, key: object.key, etag: info.etag };
      const current = { ...object, etag: info.etag, size: info.size, lastModified: info.lastModified };
      if (!factsFromMetadata(info)) {
        this.index.put(version, { kind: 'verbatim' });
        return current;
      }
      const head = await this.source.head(bucket, info, signal);
      if (!head) return current;
      const { contentId, model, render } = head.facts;
      const facts: IndexedFacts = { kind: 'latent', contentId, model, render };
      this.index.put(version, facts);
      return this.#served(current, facts);
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  #served(object: ListedObject, facts: IndexedFacts): ListedObject {
    if (facts.kind === 'verbatim' || !facts.render) return object;
    const { checksumAlgorithms: _ofTheContainer, checksumType: _alsoOfTheContainer, ...rest } = object;
    return {
      ...rest,
      size: facts.render.size,
      etag: this.source.etag(facts),
      checksumAlgorithms: ['CRC64NVME'],
      checksumType: 'FULL_OBJECT',
    };
  }
}
