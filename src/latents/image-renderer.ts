/**
 * From a container to the PNG that clients see, with facts that stay: the size recorded at the first render holds for
 * every later one, by padding.
 */
import { createHash } from 'node:crypto';
import { createHasher } from '../../s3-api/index.js';
import { PNG_ENCODER_PROFILE } from '../../codec/index.js';
import type { DecodePipeline, PngSize, StageTimings } from '../decode/index.js';
import type { LatentFacts, RenderFacts } from './facts.js';

export interface Rendering {
  readonly png: Uint8Array;
  readonly facts: RenderFacts;
  readonly timings: StageTimings;
}

/** Room that a first render leaves, so that a decoder whose rounding makes a longer PNG can still keep its size. */
const FIRST_RENDER: PngSize = { slack: { minBytes: 64, share: 1 / 512 } };

export class ImageRenderer {
  constructor(private readonly pipeline: DecodePipeline) {}

  /**
   * @param recorded of an earlier render: its size is kept, and what it says is not computed again
   * @throws S3Error as DecodePipeline.render
   */
  async render(
    container: Uint8Array,
    { model, render: recorded }: Pick<LatentFacts, 'model' | 'render'>,
    signal: AbortSignal,
  ): Promise<Rendering> {
    const size: PngSize = recorded ? { exact: recorded.size } : FIRST_RENDER;
    const { png, timings } = await this.pipeline.render({ model, container, size }, signal);
    return { png, timings, facts: recorded ?? this.#describe(png, model) };
  }

  #describe(png: Uint8Array, model: string): RenderFacts {
    const crc = createHasher('CRC64NVME');
    crc.update(png);
    return {
      size: png.byteLength,
      md5: createHash('md5').update(png).digest('hex'),
      crc64nvme: crc.digest().toString('base64'),
      decoderClass: this.pipeline.decoderClass(model),
      pngProfile: PNG_ENCODER_PROFILE,
    };
  }
}
