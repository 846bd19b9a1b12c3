/** The forms in which an image is held between the backing store and the client. */
import type { ObjectInfo } from '../../s3-api/index.js';
import type { RenderedFacts } from './facts.js';

/** A latent-backed object as the client sees it, and what ties it to the stored bytes. */
export interface ImageHead {
  /** Size, ETag and headers of the PNG. */
  readonly info: ObjectInfo;
  readonly facts: RenderedFacts;
  /** ETag of the container in the backing store. */
  readonly storedEtag: string;
}

/** An entry of the cache's image tier. */
export interface CachedImage {
  readonly format: 'image';
  readonly head: ImageHead;
  readonly png: Uint8Array;
}

/** An entry of the cache's latent tier. */
export interface CachedLatent {
  readonly format: 'latent';
  readonly head: ImageHead;
  readonly container: Uint8Array;
}

/** How a read was answered; `x-lbx-outcome` and the metrics' label. */
export type ReadOutcome = 'image-hit' | 'latent-hit' | 'miss' | 'verbatim';

/** Milliseconds per stage of one read, for `server-timing`; a stage that did not happen is absent. */
export type ReadTimings = Partial<Record<'lookup' | 'fetch' | 'decompress' | 'queue' | 'decode' | 'png', number>>;

export interface ReadObserver {
  read(outcome: ReadOutcome, timings: ReadTimings, coalesced: boolean): void;
}

/** `bucket/key` cannot be mistaken for another pair: a bucket's name holds no slash. */
export function objectId(bucket: string, key: string): string {
  return `${bucket}/${key}`;
}

export function splitObjectId(id: string): { readonly bucket: string; readonly key: string } {
  const slash = id.indexOf('/');
  return { bucket: id.slice(0, slash), key: id.slice(slash + 1) };
}

export function serverTiming(timings: ReadTimings): string {
  return Object.entries(timings)
    .map(([stage, ms]) => `${stage};dur=${ms.toFixed(2)}`)
    .join(', ');
}
