/**
 * From a container to the PNG that clients see, with facts that stay: the size recorded at the first render holds for
 * every later one, by padding.
 */
import { createHash } from 'node:crypto';
import { createHasher } from '../../s3-api/index.js';
import type { PngEffort } from '../../codec/index.js';
import {
  effortOfProfile,
  pngProfile,
  RENDER_SLACK,
  type DecodePipeline,
  type PngSize,
  type StageTimings,
} from '../decode/index.js';
import type { LatentFacts, RenderFacts } from './facts.js';

export interface Rendering {
  readonly png: Uint8Array;
  readonly facts: RenderFacts;
  readonly timings: StageTimings;
}

const FIRST_RENDER: PngSize = { slack: RENDER_SLACK };

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
    const effort = recorded && effortOfProfile(recorded.pngProfile);
    const request = { model, container, size, ...(effort && { effort }) };
    const { png, timings } = await this.pipeline.render(request, signal);
    return { png, timings, facts: recorded ?? this.describe(png, model, 'fast') };
  }

  /** The facts of a PNG that a model's container was rendered to. */
  describe(png: Uint8Array, model: string, effort: PngEffort): RenderFacts {
    const crc = createHasher('CRC64NVME');
    crc.update(png);
    return {
      size: png.byteLength,
      md5: createHash('md5').update(png).digest('hex'),
      crc64nvme: crc.digest().toString('base64'),
      decoderClass: this.pipeline.decoderClass(model),
      pngProfile: pngProfile(effort),
    };
  }
}
