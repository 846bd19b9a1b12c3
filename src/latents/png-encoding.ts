/** The policy `encode`: an uploaded PNG becomes a latent that is ready to be stored, or stays as it is and says why. */
import { createHash } from 'node:crypto';
import type { UserMetadata } from '../../s3-api/index.js';
import type {
  Conversion,
  ConvertedPicture,
  PictureConverter,
  SuppliedLatent,
  UnconvertedPicture,
} from '../conversion/index.js';
import { psnrText, ssimText, type LatentFacts } from './facts.js';
import type { ImageRenderer } from './image-renderer.js';
import { unknownModel, type LatentModel } from './ingest.js';
import type { LatentIngest } from './ingest-pool.js';
import type { Policy } from './policies.js';
import { placeMetadata, type PreparedLatent } from './prepared-latent.js';
import { withoutUploadHashes } from './upload-hashes.js';

/** Told of each conversion, for metrics. */
export interface ConversionObserver {
  converted(conversion: Conversion, uploadedBytes: number): void;
}

export interface PngEncodingOptions {
  readonly converter: PictureConverter;
  readonly ingest: LatentIngest;
  readonly renderer: ImageRenderer;
  readonly models: readonly (LatentModel & { readonly encodes: boolean })[];
  readonly defaultModel: string | undefined;
  /** Largest picture, in pixels. */
  readonly maxPixels: number;
  readonly observer: ConversionObserver;
}

/** Headers tell the client what became of its upload. */
export type EncodedUpload =
  | {
      readonly kind: 'latent';
      readonly prepared: PreparedLatent;
      /** The client's, without what is not true of the PNG that is served. */
      readonly userMetadata: UserMetadata;
      readonly headers: Readonly<Record<string, string>>;
      readonly conversion: ConvertedPicture;
    }
  | {
      readonly kind: 'verbatim';
      readonly headers: Readonly<Record<string, string>>;
      readonly conversion: UnconvertedPicture;
    };

export interface PngUpload {
  readonly png: Uint8Array;
  readonly policy: Policy;
  /** The model that the client names; then no other is tried. */
  readonly named?: string | undefined;
  readonly userMetadata: UserMetadata;
  /** A latent that came with the picture. */
  readonly supplied?: SuppliedLatent | undefined;
}

export class PngEncoding {
  constructor(private readonly options: PngEncodingOptions) {}

  /**
   * @throws S3Error InvalidRequest where the named model is not installed; SlowDown when too many uploads wait; as
   *   DecodePipeline.render otherwise
   */
  async encode({ png, policy, named, userMetadata, supplied }: PngUpload, signal: AbortSignal): Promise<EncodedUpload> {
    const { converter, maxPixels, observer } = this.options;
    const models = named === undefined ? this.#candidates(policy) : [this.#installed(named)];
    const options = { ...policy, models, maxPixels, ...(supplied && { supplied }) };
    const conversion = await converter.convert(png, options, signal);
    observer.converted(conversion, png.byteLength);
    if (conversion.kind === 'verbatim') return { kind: 'verbatim', headers: verbatimHeaders(conversion), conversion };
    const cleaned = withoutUploadHashes(userMetadata);
    const prepared = await this.prepare(conversion, cleaned, signal);
    return { kind: 'latent', prepared, userMetadata: cleaned, headers: latentHeaders(conversion), conversion };
  }

  /** A converted picture with the facts that HEAD and LIST will need. */
  async prepare(
    { container, png, effort, measured, timings }: ConvertedPicture,
    userMetadata: UserMetadata,
    signal: AbortSignal,
  ): Promise<PreparedLatent> {
    const { ingest, models, maxPixels, renderer } = this.options;
    const request = { bytes: container, format: 'container', hints: {}, models, maxPixels } as const;
    const ingested = await ingest.ingest(request, signal);
    if (ingested.kind === 'not-a-latent') throw new Error('a container was not taken for one');
    const placed = await placeMetadata(ingest, container, userMetadata, signal);
    const { psnr, ssim, model } = measured;
    const render = renderer.describe(png, model, effort);
    const facts: LatentFacts = {
      ...ingested.facts,
      // The length is the upload's own, so two uploads that lead to one latent have PNGs of two lengths.
      contentId: createHash('sha256').update(`${ingested.facts.contentId}:${render.size}`).digest('hex').slice(0, 32),
      fidelity: { psnr, ssim },
      render,
      metadataInContainer: placed.metadataInContainer,
    };
    const stages = { decompress: 0, queue: 0, decode: timings.verify, png: timings.png };
    return { container: placed.container, facts, rendering: { png, facts: render, timings: stages } };
  }

  #candidates({ candidates, model }: Policy): readonly string[] {
    if (candidates !== undefined) return candidates;
    if (model !== undefined) return [model];
    const { models, defaultModel } = this.options;
    const able = models.filter(({ encodes }) => encodes).map(({ name }) => name);
    return able.toSorted((a, b) => Number(b === defaultModel) - Number(a === defaultModel));
  }

  #installed(name: string): string {
    const { models } = this.options;
    if (!models.some((model) => model.name === name)) throw unknownModel(name, models);
    return name;
  }
}

function latentHeaders({ container, measured }: ConvertedPicture): Record<string, string> {
  return {
    'x-lbx-psnr': psnrText(measured.psnr),
    'x-lbx-ssim': ssimText(measured.ssim),
    'x-lbx-steps': String(measured.steps),
    'x-lbx-stored-size': String(container.byteLength),
  };
}

/** What was measured is of the nearest latent, which was not taken. */
function verbatimHeaders({ reason, measured }: UnconvertedPicture): Record<string, string> {
  return {
    'x-lbx-reason': reason,
    ...(measured && { 'x-lbx-model': measured.model, 'x-lbx-psnr': psnrText(measured.psnr) }),
    ...(measured?.ssim !== undefined && { 'x-lbx-ssim': ssimText(measured.ssim) }),
  };
}
