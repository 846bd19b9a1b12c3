/** `.lbx` files: a latent, compressed without loss, with everything needed to give its picture back. */
import { createHash } from 'node:crypto';
import { CodecError } from '../errors.js';
import { DEFAULT_TENSOR_LIMITS, type TensorLimits } from '../tensor.js';
import { tensorByteLength } from '../tensors/shape.js';
import { parseHeader } from './header-reader.js';
import { writeHeader } from './header-writer.js';
import type { ContainerHeader, LatentImage } from './latent-image.js';
import { headerBytes, joinContainer, PREFIX_BYTES } from './layout.js';
import type { CompressedPayload } from './payload-codec.js';
import { findPayloadCodec, PAYLOAD_CODECS, type PayloadCodecChoice } from './payload-codecs.js';

export interface ContainerOptions {
  /** `smallest` tries every codec and keeps the smallest payload; the default is pcodec, which other tools read. */
  readonly codec?: PayloadCodecChoice;
  readonly limits?: TensorLimits;
}

export interface DecodedContainer extends LatentImage {
  readonly attributes: Readonly<Record<string, string>>;
  readonly header: ContainerHeader;
}

/**
 * Writes version 1. The same image and options give the same bytes.
 *
 * @throws CodecError when the image is none that `decodeContainer` would read back with the same limits
 */
export function encodeContainer(image: LatentImage, options: ContainerOptions = {}): Uint8Array {
  const { codec = 'pcodec', limits = DEFAULT_TENSOR_LIMITS } = options;
  const { dtype, shape, data } = image.tensor;
  const expected = tensorByteLength('container', 'tensor.shape', dtype, shape, limits);
  if (data.byteLength !== expected) {
    throw new CodecError('container', 'tensor.data', `${data.byteLength} bytes where the shape takes ${expected}`);
  }
  const { settings, payload } = compress(image, codec);
  const header = writeHeader(image, {
    codec: settings,
    length: payload.byteLength,
    sha256: sha256(payload),
    tensorSha256: sha256(data),
  });
  if (header.byteLength > limits.maxHeaderBytes) {
    throw new CodecError(
      'container',
      'header',
      `${header.byteLength} bytes with its PNG chunks, the limit is ${limits.maxHeaderBytes}`,
    );
  }
  // What a writer's caller got wrong is named by the reader's rules.
  parseHeader(header, limits);
  return joinContainer(header, payload);
}

/**
 * Reads the header alone; `bytes` may end anywhere behind it.
 *
 * @throws CodecError when it is not whole, damaged, of another version, or over the limits
 */
export function readContainerHeader(bytes: Uint8Array, limits: TensorLimits = DEFAULT_TENSOR_LIMITS): ContainerHeader {
  const header = headerBytes(bytes, limits.maxHeaderBytes);
  return { ...parseHeader(header, limits), payloadOffset: PREFIX_BYTES + header.byteLength };
}

/**
 * Reads a whole file and proves it by both hashes.
 *
 * @throws CodecError when lengths do not add up, a hash does not match, or the payload's codec is unknown
 */
export function decodeContainer(bytes: Uint8Array, limits: TensorLimits = DEFAULT_TENSOR_LIMITS): DecodedContainer {
  const header = readContainerHeader(bytes, limits);
  const payload = bytes.subarray(header.payloadOffset);
  if (payload.byteLength !== header.payloadLength) {
    throw new CodecError(
      'container',
      'header.payload.length',
      `${header.payloadLength}, the file has ${payload.byteLength} bytes behind the header`,
    );
  }
  if (sha256(payload) !== header.payloadSha256) {
    throw new CodecError('container', 'header.payload.sha256', 'does not match: the payload is damaged');
  }
  const codec = findPayloadCodec(header.codec.id);
  if (!codec) throw new CodecError('container', 'header.codec.id', `${JSON.stringify(header.codec.id)} is unknown`);
  const data = codec.decompress(payload, header);
  const { dtype, shape, model, width, height, scaled, origin, pngChunks, attributes } = header;
  const expected = tensorByteLength('container', 'header.shape', dtype, shape, limits);
  if (data.byteLength !== expected) {
    throw new CodecError('container', 'payload', `holds ${data.byteLength} bytes where the shape takes ${expected}`);
  }
  if (sha256(data) !== header.tensorSha256) {
    throw new CodecError('container', 'header.tensorSha256', 'does not match the decompressed tensor');
  }
  return { header, model, tensor: { dtype, shape, data }, width, height, scaled, origin, pngChunks, attributes };
}

function compress({ tensor }: LatentImage, codec: PayloadCodecChoice): CompressedPayload {
  if (codec !== 'smallest') return PAYLOAD_CODECS[codec].compress(tensor);
  return Object.values(PAYLOAD_CODECS)
    .map((candidate) => candidate.compress(tensor))
    .reduce((best, next) => (next.payload.byteLength < best.payload.byteLength ? next : best));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
