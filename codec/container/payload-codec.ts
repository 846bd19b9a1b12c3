/** What a payload codec is: a container names one by its id, `payload-codecs.ts` lists them. */
import type { Tensor } from '../tensor.js';
import type { CodecSettings, ContainerHeader } from './latent-image.js';

export interface CompressedPayload {
  /** Everything the same codec's `decompress` needs beside dtype and shape. */
  readonly settings: CodecSettings;
  readonly payload: Uint8Array;
}

export interface PayloadCodec {
  readonly id: string;
  /** @param tensor `[C, h, w]` whose data have the length that its shape takes */
  compress(tensor: Tensor): CompressedPayload;
  /**
   * The tensor's bytes. Allocates no more than the header's shape, which is already within the limits, calls for.
   *
   * @throws CodecError when the payload is damaged or does not hold what the header says
   */
  decompress(payload: Uint8Array, header: Pick<ContainerHeader, 'dtype' | 'shape' | 'codec'>): Uint8Array;
}
