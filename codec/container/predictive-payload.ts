/** Tensors as streams of the predictive codec; what that codec is not for becomes a pcodec payload. */
import type { Tensor } from '../tensor.js';
import { predictiveCompress, predictiveDecompress } from '../predictive/predictive.js';
import type { CompressedPayload, PayloadCodec } from './payload-codec.js';
import { pcodecPayload } from './pcodec-payload.js';

export const predictivePayload: PayloadCodec = {
  id: 'predictive',

  compress(tensor: Tensor): CompressedPayload {
    const payload = predictiveCompress(tensor);
    return payload === undefined ? pcodecPayload.compress(tensor) : { settings: { id: 'predictive' }, payload };
  },

  decompress(payload, { dtype, shape }): Uint8Array {
    return predictiveDecompress(payload, dtype, shape);
  },
};
