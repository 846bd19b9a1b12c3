/** The way back: a latent-backed object becomes a PNG again, the uploaded file where it was kept, else the decoded picture. */
import { S3Error, type ListedObject, type ObjectInfo, type ObjectStore } from '../../s3-api/index.js';
import { readContainerHeader } from '../../codec/index.js';
import { CLIENT_METADATA_ATTRIBUTE, parseClientMetadata } from '../latents/client-metadata.js';
import { factsFromMetadata, splitReservedMetadata, type LatentFacts } from '../latents/facts.js';
import type { ImageRenderer } from '../latents/image-renderer.js';
import { readAll } from '../latents/read-all.js';
import { bytesAsStream } from '../stores/upload-reader.js';
import { mapKey, type Location } from './location.js';
import type { ObjectOutcome, RestoredOutcome } from './outcome.js';

export interface ObjectRestorerOptions {
  readonly store: ObjectStore;
  readonly renderer: ImageRenderer;
  readonly from: Location;
  readonly to: Location;
  /** Where a migration kept the originals (`--keep-originals`), under the bucket that is restored. */
  readonly originalsUnder?: string;
  /** Largest container that is read, in bytes. */
  readonly maxContainerBytes: number;
}

export class ObjectRestorer {
  constructor(private readonly options: ObjectRestorerOptions) {}

  /** The object's state is the whole journal: what is a PNG already is passed over, so a killed run just runs again. */
  async restore({ key }: ListedObject, signal: AbortSignal): Promise<ObjectOutcome> {
    const { store, from } = this.options;
    try {
      const { info } = await store.headObject(from.bucket, key, {}, signal);
      const facts = factsFromMetadata(info);
      if (!facts) return await this.#keep(info, signal);
      return (await this.#fromOriginal(info, signal)) ?? (await this.#decoded(info, facts, signal));
    } catch (error) {
      if (error instanceof S3Error && (error.code === 'PreconditionFailed' || error.code === 'NoSuchKey'))
        return { kind: 'changed' };
      throw error;
    }
  }

  async #keep(info: ObjectInfo, signal: AbortSignal): Promise<ObjectOutcome> {
    const { store, from, to } = this.options;
    if (!this.#inPlace)
      await store.copyObject({ bucket: from.bucket, key: info.key }, to.bucket, this.#target(info.key), {}, signal);
    const timings = { fetch: 0, convert: 0, write: 0, verify: 0 };
    return { kind: 'verbatim', reason: 'not-a-latent', detail: 'It is no latent.', bytes: info.size, timings };
  }

  async #fromOriginal(info: ObjectInfo, signal: AbortSignal): Promise<RestoredOutcome | undefined> {
    const { store, from, to, originalsUnder } = this.options;
    if (originalsUnder === undefined) return undefined;
    const original = { bucket: from.bucket, key: originalsUnder + info.key };
    try {
      const { size } = (await store.headObject(original.bucket, original.key, {}, signal)).info;
      const conditions = this.#inPlace ? { conditions: { ifMatch: [info.etag] } } : {};
      await store.copyObject(original, to.bucket, this.#target(info.key), conditions, signal);
      return { kind: 'restored', bytesBefore: info.size, bytesAfter: size, fromOriginal: true };
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async #decoded(info: ObjectInfo, facts: LatentFacts, signal: AbortSignal): Promise<RestoredOutcome> {
    const { store, renderer, from, to, maxContainerBytes } = this.options;
    const content = await store.getObject(from.bucket, info.key, { conditions: { ifMatch: [info.etag] } }, signal);
    const container = await readAll(content, maxContainerBytes);
    const { png } = await renderer.render(container, facts, signal);
    const { own } = splitReservedMetadata(info.userMetadata);
    const inside = readContainerHeader(container).attributes[CLIENT_METADATA_ATTRIBUTE];
    const tags = info.tagCount ? await store.getObjectTags(from.bucket, info.key, signal) : undefined;
    await store.putObject(
      to.bucket,
      this.#target(info.key),
      bytesAsStream(png),
      {
        contentLength: png.byteLength,
        systemMetadata: { ...info.systemMetadata, contentType: 'image/png' },
        userMetadata: facts.metadataInContainer ? parseClientMetadata(inside) : own,
        ...(tags && { tags }),
        ...(info.storageClass !== undefined && { storageClass: info.storageClass }),
        ...(this.#inPlace && { conditions: { ifMatch: [info.etag] } }),
      },
      signal,
    );
    return { kind: 'restored', bytesBefore: info.size, bytesAfter: png.byteLength, fromOriginal: false };
  }

  get #inPlace(): boolean {
    const { from, to } = this.options;
    return from.bucket === to.bucket && from.prefix === to.prefix;
  }

  #target(key: string): string {
    return mapKey(key, this.options.from, this.options.to);
  }
}
