/** Answers to reads, from what is known of the object: conditions, ranges and headers of an image or a verbatim object. */
import {
  errors,
  evaluateReadConditions,
  resolveByteRange,
  type Conditions,
  type ObjectContent,
  type ObjectInfo,
  type ReadOptions,
  type ResolvedByteRange,
} from '../../s3-api/index.js';
import { splitReservedMetadata } from './facts.js';
import type { ImageHead } from './stored-image.js';

/** @throws S3Error NotModified or PreconditionFailed */
export function evaluate(info: ObjectInfo, conditions: Conditions | undefined): void {
  if (conditions) evaluateReadConditions(conditions, info);
}

/** A PNG has one part, whatever way its latent was uploaded. */
function servedRange(info: ObjectInfo, options: ReadOptions): ResolvedByteRange | undefined {
  if (options.partNumber !== undefined && options.partNumber !== 1)
    throw errors.invalidPartNumber(options.partNumber, 1);
  return options.range && resolveByteRange(options.range, info.size);
}

/** What HEAD answers: conditions and the range of an image. */
export function headAnswer(info: ObjectInfo, options: ReadOptions): Omit<ObjectContent, 'body'> {
  evaluate(info, options.conditions);
  const range = servedRange(info, options);
  return range ? { info, range } : { info };
}

/** What GET answers: the PNG or its slice. */
export function imageAnswer(
  head: ImageHead,
  png: Uint8Array,
  options: ReadOptions,
  headers: Readonly<Record<string, string>>,
): ObjectContent {
  const { range } = headAnswer(head.info, options);
  const info = { ...head.info, extraHeaders: { ...head.info.extraHeaders, ...headers } };
  return range ? { info, range, body: png.subarray(range.first, range.last + 1) } : { info, body: png };
}

/** Clients never see `lbx-*` keys as metadata, whoever put them there. */
export function verbatimInfo(info: ObjectInfo): ObjectInfo {
  const { own } = splitReservedMetadata(info.userMetadata);
  return { ...info, userMetadata: own, extraHeaders: { ...info.extraHeaders, 'x-lbx-storage': 'verbatim' } };
}

/** Lets go of a body that nobody will read. */
export function discard(content: ObjectContent): void {
  if (!(content.body instanceof Uint8Array)) content.body.destroy();
}
