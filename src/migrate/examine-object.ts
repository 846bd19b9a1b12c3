/** Reads an object and says what may become of it; nothing is written. A dry run ends here, a migration goes on. */
import type { Readable } from 'node:stream';
import { S3Error, type ObjectContent, type ObjectInfo, type ObjectStore } from '../../s3-api/index.js';
import { detectFormat } from '../../codec/index.js';
import { factsFromMetadata, splitReservedMetadata } from '../latents/facts.js';
import { SNIFF_BYTES } from '../latents/upload-kind.js';
import { collect, PeekedUpload } from '../stores/upload-reader.js';
import type { Location } from './location.js';
import type { ConvertedObject, ObjectConverter } from './object-converter.js';
import type { AlreadyLatentOutcome, ConvertedOutcome, VerbatimOutcome } from './outcome.js';
import type { SidecarFinder } from './sidecars.js';

export interface ObjectExaminerOptions {
  readonly store: ObjectStore;
  readonly converter: ObjectConverter;
  readonly sidecars: SidecarFinder;
  readonly from: Location;
  /** Larger objects stay as they are, unread. */
  readonly maxPictureBytes: number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

export type ExaminedObject =
  | { readonly kind: 'gone' }
  | { readonly kind: 'stays'; readonly info: ObjectInfo; readonly outcome: VerbatimOutcome | AlreadyLatentOutcome }
  | {
      readonly kind: 'converts';
      readonly info: ObjectInfo;
      readonly original: Uint8Array;
      readonly converted: ConvertedObject;
      /** Once it is written. */
      readonly outcome: ConvertedOutcome;
    };

const NOTHING_YET = { fetch: 0, convert: 0, write: 0, verify: 0 };

export class ObjectExaminer {
  constructor(private readonly options: ObjectExaminerOptions) {}

  /** @throws what the store and the converter throw, beyond a missing object */
  async examine(key: string, signal: AbortSignal): Promise<ExaminedObject> {
    const { store, from, maxPictureBytes, clock } = this.options;
    const start = clock();
    let content: ObjectContent;
    try {
      content = await store.getObject(from.bucket, key, {}, signal);
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchKey') return { kind: 'gone' };
      throw error;
    }
    const { info } = content;
    if (factsFromMetadata(info)) {
      discard(content);
      return { kind: 'stays', info, outcome: { kind: 'already-latent', bytes: info.size } };
    }
    const original = await readPicture(content, maxPictureBytes);
    const timings = { ...NOTHING_YET, fetch: clock() - start };
    if (original === 'not-a-png') return stays(info, original, 'It is not a PNG.', timings);
    if (original === 'too-large')
      return stays(info, original, `It has more than the ${maxPictureBytes} bytes of limits.pngBytes.`, timings);
    return this.#convert(info, original, timings, signal);
  }

  async #convert(
    info: ObjectInfo,
    original: Uint8Array,
    fetched: typeof NOTHING_YET,
    signal: AbortSignal,
  ): Promise<ExaminedObject> {
    const { converter, sidecars, clock } = this.options;
    const start = clock();
    const sidecar = await sidecars.find(info.key, signal);
    const { own: userMetadata } = splitReservedMetadata(info.userMetadata);
    const picture = { key: info.key, png: original, userMetadata, ...(sidecar && { sidecar }) };
    const converted = await converter.convert(picture, signal);
    const timings = { ...fetched, convert: clock() - start };
    if (converted.kind === 'verbatim') return stays(info, converted.reason, converted.detail, timings, converted.psnr);
    const outcome: ConvertedOutcome = {
      kind: 'converted',
      model: converted.facts.model,
      bytesBefore: info.size,
      bytesAfter: converted.container.byteLength,
      psnr: Number.isFinite(converted.psnr) ? converted.psnr : null,
      ssim: converted.ssim,
      ...(converted.usedSidecar && sidecar && { sidecar: sidecar.key }),
      timings,
    };
    return { kind: 'converts', info, original, converted, outcome };
  }
}

function stays(
  info: ObjectInfo,
  reason: string,
  detail: string,
  timings: typeof NOTHING_YET,
  psnr?: number,
): ExaminedObject {
  const outcome: VerbatimOutcome = {
    kind: 'verbatim',
    reason,
    detail,
    bytes: info.size,
    ...(psnr !== undefined && { psnr }),
    timings,
  };
  return { kind: 'stays', info, outcome };
}

async function readPicture(content: ObjectContent, limit: number): Promise<Uint8Array | 'not-a-png' | 'too-large'> {
  const { body, info } = content;
  if (body instanceof Uint8Array) {
    if (!isPng(body)) return 'not-a-png';
    return body.byteLength > limit ? 'too-large' : body;
  }
  const { head, rest } = await PeekedUpload.of(body, SNIFF_BYTES);
  if (!isPng(head)) return destroyed(rest, body, 'not-a-png');
  if (info.size > limit) return destroyed(rest, body, 'too-large');
  const bytes = await collect(rest, limit);
  return bytes instanceof Uint8Array ? bytes : destroyed(bytes, body, 'too-large');
}

function isPng(head: Uint8Array): boolean {
  return detectFormat(head.subarray(0, SNIFF_BYTES)) === 'png';
}

function destroyed<T>(rest: Readable, body: Readable, result: T): T {
  rest.destroy();
  body.destroy();
  return result;
}

function discard({ body }: ObjectContent): void {
  if (!(body instanceof Uint8Array)) body.destroy();
}
