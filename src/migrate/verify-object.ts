/** Reads an object back and proves that it decodes to what was recorded of it. */
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { S3Error, type ListedObject, type ObjectBody, type ObjectStore } from '../../s3-api/index.js';
import { CodecError, decodeContainer } from '../../codec/index.js';
import { factsFromMetadata } from '../latents/facts.js';
import type { ImageRenderer } from '../latents/image-renderer.js';
import { readAll } from '../latents/read-all.js';
import type { Location } from './location.js';

export type VerificationResult =
  /** `exact`: the very bytes recorded; `same-size`: another class of decoder rendered it, so only its size is the same. */
  | { readonly kind: 'latent'; readonly match: 'exact' | 'same-size' }
  | { readonly kind: 'verbatim' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'gone' };

export interface ObjectVerifierOptions {
  readonly store: ObjectStore;
  readonly renderer: ImageRenderer;
  readonly decoderClass: (model: string) => string | undefined;
  readonly location: Location;
  /** Largest container that is read, in bytes. */
  readonly maxContainerBytes: number;
}

export class ObjectVerifier {
  constructor(private readonly options: ObjectVerifierOptions) {}

  /** @throws what the store throws beyond a missing object */
  async verify({ key }: ListedObject, signal: AbortSignal): Promise<VerificationResult> {
    const { store, location } = this.options;
    try {
      const content = await store.getObject(location.bucket, key, {}, signal);
      const facts = factsFromMetadata(content.info);
      if (!facts) return await readThrough(content.body);
      const container = await readAll(content, this.options.maxContainerBytes);
      decodeContainer(container);
      const { png } = await this.options.renderer.render(container, facts, signal);
      const { render, model } = facts;
      if (!render) return { kind: 'latent', match: 'same-size' };
      const exact = createHash('md5').update(png).digest('hex') === render.md5;
      if (exact) return { kind: 'latent', match: 'exact' };
      if (this.options.decoderClass(model) === render.decoderClass)
        return { kind: 'failed', message: 'it decodes to other bytes than were recorded for this very decoder' };
      return png.byteLength === render.size
        ? { kind: 'latent', match: 'same-size' }
        : { kind: 'failed', message: `its PNG has ${png.byteLength} bytes where ${render.size} were recorded` };
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchKey') return { kind: 'gone' };
      if (error instanceof CodecError) return { kind: 'failed', message: `its container is damaged: ${error.message}` };
      if (error instanceof S3Error && (error.code === 'InternalError' || error.code === 'InvalidRequest'))
        return { kind: 'failed', message: `${error.code}: ${error.message}` };
      throw error;
    }
  }
}

/** A verbatim object is sound when every byte of it can be read; stores check their own checksums. */
async function readThrough(body: ObjectBody): Promise<VerificationResult> {
  if (!(body instanceof Uint8Array)) await finished(body.resume());
  return { kind: 'verbatim' };
}
