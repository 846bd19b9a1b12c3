/**
 * From a cached or fetched container to the PNG that clients see, with facts that stay: the size recorded at the first
 * render holds for every later one, by padding.
 */
import { createHash } from 'node:crypto';
import { checksum } from '../../s3-api/index.js';
import { PNG_ENCODER_PROFILE } from '../../codec/index.js';
import type { DecodePipeline, StageTimings } from '../decode/index.js';
import type { LatentFacts, RenderFacts } from './facts.js';

export interface Rendering {
  readonly png: Uint8Array;
  readonly facts: RenderFacts;
  readonly timings: StageTimings;
}

/** Room that a first render leaves, so that a decoder whose rounding makes a longer PNG can still keep its size. */
function slackBytes(pngBytes: number): number {
  return Math.max(64, Math.ceil(pngBytes / 512));
}

export class ImageRenderer {
  constructor(private readonly pipeline: DecodePipeline) {}

  /**
   * @param facts the object's, with or without a recorded render
   * @throws S3Error as DecodePipeline.render
   */
  async render(container: Uint8Array, facts: LatentFacts, signal: AbortSignal): Promise<Rendering> {
    const { model, render: recorded } = facts;
    const { png, timings } = await this.pipeline.render(
      { model, container, size: recorded ? { exact: recorded.size } : { slack: slackBytes } },
      signal,
    );
    return {
      png,
      timings,
      facts: {
        size: png.byteLength,
        md5: createHash('md5').update(png).digest('hex'),
        crc64nvme: checksum('CRC64NVME', png),
        decoderClass: this.pipeline.decoderClass(model),
        pngProfile: PNG_ENCODER_PROFILE,
      },
    };
  }
}
