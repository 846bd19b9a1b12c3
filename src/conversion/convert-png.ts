/** Turns a PNG into the latent that may stand for it, and proves on the stored bytes that it may. */
import { encodeContainer, type Tensor } from '../../codec/index.js';
import type { DecodePipeline } from '../decode/index.js';
import { fitPng, RENDER_SLACK, writeSizedPng, type SizedPng } from '../decode/sized-png.js';
import { DEFAULT_BLEND_CELLS, DEFAULT_MAX_TILE_PIXELS, DEFAULT_OVERLAP_CELLS } from '../decode/tiles.js';
import type { InstalledModel } from '../models/installed-model.js';
import type { Conversion, ConversionOptions, ConversionTimings, Measured, SuppliedLatent } from './conversion.js';
import { readConvertible, type ConvertiblePng } from './convertible.js';
import { psnr, ssim } from './fidelity.js';
import { searchLatent } from './search.js';
import { VaeSession } from './vae-session.js';
import type { VerbatimReason } from './verbatim-reasons.js';

/** What conversion needs of the decode pipeline. */
export interface ConversionEngine extends Pick<DecodePipeline, 'runGraph' | 'renderPixels'> {
  readonly models: ReadonlyMap<string, InstalledModel>;
}

const MS_PER_SECOND = 1000;
/** @see PictureConverter.convert */
export async function convertPng(
  png: Uint8Array,
  options: ConversionOptions,
  engine: ConversionEngine,
  signal: AbortSignal,
): Promise<Conversion> {
  const clock = new StageClock();
  const until = performance.now() + options.refineSeconds * MS_PER_SECOND;
  const refused = (reason: VerbatimReason, measured?: Measured): Conversion => ({
    kind: 'verbatim',
    reason,
    ...(measured && { measured }),
    timings: clock.timings,
  });
  const picture = await clock.time('read', () => readConvertible(png, options));
  if (typeof picture === 'string') return refused(picture);
  const models = options.models.flatMap((name) => engine.models.get(name) ?? []).filter(({ encoder }) => encoder);
  const { supplied } = options;
  if (models.length === 0 && !supplied) return refused('no-encoder');
  let nearest: { reason: VerbatimReason; measured: Measured } | undefined;
  if (supplied) {
    const attempt = await trySupplied(supplied, { png, picture, options, engine, clock }, signal);
    if (attempt?.kind === 'latent') return attempt;
    nearest = attempt;
  }
  for (const model of models) {
    signal.throwIfAborted();
    const attempt = await tryModel({ png, picture, model, options, engine, until, clock }, signal);
    if (attempt.kind === 'latent') return attempt;
    if (nearest === undefined || attempt.measured.psnr > nearest.measured.psnr) nearest = attempt;
  }
  return refused(nearest?.reason ?? 'under-floor', nearest?.measured);
}

interface Attempt {
  readonly png: Uint8Array;
  readonly picture: ConvertiblePng;
  readonly model: InstalledModel;
  readonly options: ConversionOptions;
  readonly engine: ConversionEngine;
  readonly until: number;
  readonly clock: StageClock;
}

interface Failed {
  readonly kind: 'verbatim';
  readonly reason: VerbatimReason;
  readonly measured: Measured;
}

async function tryModel(
  { png, picture, model, options, engine, until, clock }: Attempt,
  signal: AbortSignal,
): Promise<Extract<Conversion, { kind: 'latent' }> | Failed> {
  const session = new VaeSession(engine, model, picture, signal, TILING);
  const budget = { steps: options.refineSteps, until, floor: options.psnr };
  const found = await clock.time('refine', () => searchLatent(session, picture.pixels, budget));
  const measured = { model: model.name, psnr: found.psnr, steps: found.steps };
  if (!(found.psnr >= options.psnr)) return { kind: 'verbatim', reason: 'under-floor', measured };

  const { channels, rows, columns } = session.shape;
  const { latent } = found;
  const data = new Uint8Array(latent.buffer, latent.byteOffset, latent.byteLength);
  const candidate: Candidate = {
    model: model.name,
    tensor: { dtype: 'f16', shape: [channels, rows, columns], data },
    scaled: true,
    steps: found.steps,
    fromSupplied: false,
  };
  return judge(candidate, { png, picture, options, engine, clock }, signal);
}

/** A latent that came with the picture is taken as it is; undefined where it cannot be one of this picture. */
async function trySupplied(
  { model, tensor, scaled }: SuppliedLatent,
  court: Court,
  signal: AbortSignal,
): Promise<Extract<Conversion, { kind: 'latent' }> | Failed | undefined> {
  const installed = court.engine.models.get(model);
  const { width, height } = court.picture;
  const [channels, rows = 0, columns = 0] = tensor.shape;
  const fits =
    installed !== undefined &&
    channels === installed.latentChannels &&
    rows === Math.ceil(height / installed.spatialFactor) &&
    columns === Math.ceil(width / installed.spatialFactor);
  return fits ? judge({ model, tensor, scaled, steps: 0, fromSupplied: true }, court, signal) : undefined;
}

/** A latent that may be the picture's. */
interface Candidate {
  readonly model: string;
  readonly tensor: Tensor;
  readonly scaled: boolean;
  readonly steps: number;
  readonly fromSupplied: boolean;
}

type Court = Pick<Attempt, 'png' | 'picture' | 'options' | 'engine' | 'clock'>;

/** Every bar that a latent must pass before it may stand for the picture. */
async function judge(
  candidate: Candidate,
  court: Court,
  signal: AbortSignal,
): Promise<Extract<Conversion, { kind: 'latent' }> | Failed> {
  const { png, picture, options, clock } = court;
  const proven = await prove(candidate, court, signal);
  const all = { model: candidate.model, steps: candidate.steps, psnr: proven.psnr, ssim: proven.ssim };
  if (!(all.psnr >= options.psnr && all.ssim >= options.ssim))
    return { kind: 'verbatim', reason: 'under-floor', measured: all };
  if (proven.container.byteLength > png.byteLength * (1 - options.minSaving))
    return { kind: 'verbatim', reason: 'no-saving', measured: all };
  const file = await clock.time('png', () => writePng(proven.pixels, picture, png.byteLength));
  if (options.size === 'strict' && !file.sizeKept)
    return { kind: 'verbatim', reason: 'size-would-change', measured: all };
  const { width, height } = picture;
  const { container } = proven;
  const { fromSupplied } = candidate;
  return { kind: 'latent', container, ...file, width, height, measured: all, fromSupplied, timings: clock.timings };
}

const TILING = { maxPixels: DEFAULT_MAX_TILE_PIXELS, overlap: DEFAULT_OVERLAP_CELLS, blend: DEFAULT_BLEND_CELLS };

interface Proven {
  readonly container: Uint8Array;
  /** What the container decodes to. */
  readonly pixels: Uint8Array;
  readonly psnr: number;
  readonly ssim: number;
}

/** Decodes the very bytes that are to be stored and measures that picture; its fidelity goes into the header. */
async function prove(
  { model, tensor, scaled }: Candidate,
  { picture, options, engine, clock }: Court,
  signal: AbortSignal,
): Promise<Proven> {
  const { width, height, chunks: pngChunks } = picture;
  const write = (fidelity: { psnr: number; ssim: number }): Promise<Uint8Array> =>
    clock.time('compress', () =>
      encodeContainer(
        { model, tensor, width, height, scaled, origin: { kind: 'encoded', ...fidelity }, pngChunks },
        options.codec && { codec: options.codec },
      ),
    );
  const draft = await write({ psnr: 0, ssim: 0 });
  const { pixels } = await clock.time('verify', () => engine.renderPixels({ model, container: draft }, signal));
  const fidelity = await clock.time('verify', () => ({
    psnr: psnr(pixels, picture.pixels),
    ssim: ssim(pixels, picture.pixels, width, height),
  }));
  return { container: await write(fidelity), pixels, ...fidelity };
}

/** The PNG at the uploaded length; where no effort fits it, at a length of its own. */
function writePng(
  pixels: Uint8Array,
  { width, height, chunks }: ConvertiblePng,
  uploaded: number,
): SizedPng & { sizeKept: boolean } {
  const picture = { pixels, width, height, chunks };
  const fitted = fitPng(picture, uploaded);
  if (fitted !== undefined) return { ...fitted, sizeKept: true };
  return { ...writeSizedPng(picture, { slack: RENDER_SLACK }), sizeKept: false };
}

/** Adds up what each stage took. */
class StageClock {
  readonly timings: Record<keyof ConversionTimings, number> = {
    read: 0,
    refine: 0,
    verify: 0,
    compress: 0,
    png: 0,
  };

  async time<T>(stage: keyof ConversionTimings, work: () => Promise<T> | T): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.timings[stage] += performance.now() - start;
    }
  }
}
