/** Serves an image in another form than its PNG: the latent itself, or the picture re-encoded or scaled. */
import {
  evaluateReadConditions,
  resolveByteRange,
  S3Error,
  type ObjectContent,
  type ObjectInfo,
  type ReadOptions,
} from '../../s3-api/index.js';
import { discard } from './answers.js';
import type { ImageSource } from './image-source.js';
import { convertLatent, convertPicture, representationInfo, type Representation } from './representation.js';
import { serverTiming } from './stored-image.js';

export class Representations {
  constructor(private readonly source: ImageSource) {}

  /** @throws S3Error InvalidRequest where the object is no image of ours, and whatever reading it throws */
  async get(
    bucket: string,
    key: string,
    options: ReadOptions,
    representation: Representation,
    signal: AbortSignal,
  ): Promise<ObjectContent> {
    const { info, body } = await this.#convert(bucket, key, representation, signal);
    evaluateReadConditions(options.conditions, info);
    const range = options.range && resolveByteRange(options.range, body.byteLength);
    return range ? { info, range, body: body.subarray(range.first, range.last + 1) } : { info, body };
  }

  async #convert(
    bucket: string,
    key: string,
    representation: Representation,
    signal: AbortSignal,
  ): Promise<{ info: ObjectInfo; body: Uint8Array }> {
    if (representation.of === 'latent') {
      const found = await this.source.container(bucket, key, signal);
      if (!found) throw notAnImage();
      const body = convertLatent(found.container, representation.format);
      return { info: representationInfo(found.head.info, representation, body.byteLength), body };
    }
    const found = await this.source.find(bucket, key, () => undefined, signal);
    if (found.kind === 'verbatim') {
      const content = found.take();
      if (content) discard(content);
      throw notAnImage();
    }
    const body = await convertPicture(found.png, representation);
    const info = representationInfo(found.head.info, representation, body.byteLength);
    const headers = { 'x-lbx-outcome': found.outcome, 'server-timing': serverTiming(found.timings) };
    return { info: { ...info, extraHeaders: { ...info.extraHeaders, ...headers } }, body };
  }
}

function notAnImage(): S3Error {
  return new S3Error(
    'InvalidRequest',
    'The object is not stored as a latent, so it has no other representation. Ask for it without x-lbx-format and x-lbx-width.',
  );
}
