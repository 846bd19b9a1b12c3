/** From an uploaded file to the container that is stored: parse, find the model, compress. Runs in a codec worker. */
import { createHash } from 'node:crypto';
import {
  CodecError,
  decodeContainer,
  encodeContainer,
  isPayloadCodecId,
  readLatentFile,
  readContainerHeader,
  readNpy,
  readRawLatent,
  readSafetensors,
  type LatentFile,
  type LatentImage,
  type PayloadCodecChoice,
  type Tensor,
} from '../../codec/index.js';
import { S3Error } from '../../s3-api/errors.js';
import type { LatentFacts } from './facts.js';
import type { LatentHints } from './upload-kind.js';

/** What an upload must fit to: the shape of an installed model's latents. */
export interface LatentModel {
  readonly name: string;
  readonly latentChannels: number;
  readonly spatialFactor: number;
}

export interface IngestRequest {
  readonly bytes: Uint8Array;
  readonly format: 'npy' | 'safetensors' | 'container' | 'raw';
  readonly hints: LatentHints;
  /** The model that the prefix's policy names. */
  readonly policyModel?: string | undefined;
  /** The configuration's default model. */
  readonly defaultModel?: string | undefined;
  readonly models: readonly LatentModel[];
  /** How the policy compresses a tensor, pcodec by default; a container that arrives keeps its payload. */
  readonly codec?: PayloadCodecChoice;
  /** Pixels of the largest picture. */
  readonly maxPixels: number;
}

export type Ingested =
  | {
      readonly kind: 'latent';
      readonly container: Uint8Array;
      readonly facts: Omit<LatentFacts, 'render' | 'metadataInContainer'>;
    }
  /** A well-formed file of a tensor format that holds something else: stored as it is. */
  | { readonly kind: 'not-a-latent' };

/** @throws S3Error InvalidRequest that says what is wrong with the upload and what would be right */
export function ingestLatent(request: IngestRequest): Ingested {
  try {
    return request.format === 'container' ? ingestContainer(request) : ingestTensor(request);
  } catch (error) {
    if (error instanceof CodecError)
      throw new S3Error('InvalidRequest', `The latent cannot be read: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Puts the caller's attributes into a container; everything else of it stays. */
export function withAttributes(container: Uint8Array, attributes: Readonly<Record<string, string>>): Uint8Array {
  const image = decodeContainer(container);
  const { id } = image.header.codec;
  const withThem = { ...image, attributes: { ...image.attributes, ...attributes } };
  return encodeContainer(withThem, isPayloadCodecId(id) ? { codec: id } : {});
}

function ingestContainer({ bytes, models, maxPixels }: IngestRequest): Ingested {
  const image = decodeContainer(bytes);
  const model = models.find(({ name }) => name === image.model);
  if (!model) throw unknownModel(image.model, models);
  const facts = { ...factsOf(image, model, maxPixels), codec: image.header.codec.id };
  return { kind: 'latent', container: bytes, facts };
}

function ingestTensor(request: IngestRequest): Ingested {
  const { hints, maxPixels } = request;
  const file = readTensor(request);
  if (!file) return { kind: 'not-a-latent' };
  const model = chooseModel(file.tensor, request);
  const [, rows = 0, columns = 0] = file.tensor.shape;
  const image: LatentImage = {
    model: model.name,
    tensor: file.tensor,
    width: hints.image?.width ?? columns * model.spatialFactor,
    height: hints.image?.height ?? rows * model.spatialFactor,
    scaled: hints.scaled ?? file.scaled,
    origin: { kind: 'supplied' },
    pngChunks: file.pngChunks,
  };
  const known = factsOf(image, model, maxPixels);
  const container = encodeContainer(image, request.codec && { codec: request.codec });
  const facts = { ...known, codec: readContainerHeader(container).codec.id };
  return { kind: 'latent', container, facts };
}

type TensorOfLatent = Pick<LatentFile, 'tensor' | 'scaled' | 'pngChunks'>;

/** Undefined for a sound file that holds something else, which nobody called a latent. */
function readTensor({ bytes, format, hints }: IngestRequest): TensorOfLatent | undefined {
  if (hints.raw) {
    const tensor = readRawLatent(bytes, hints.raw.dtype, hints.raw.shape);
    return { tensor: dropBatch(tensor), scaled: true, pngChunks: { beforeIdat: [], afterIdat: [] } };
  }
  try {
    return readLatentFile(bytes, hints.image ? { image: hints.image } : {});
  } catch (error) {
    if (error instanceof CodecError && hints.model === undefined && holdsSomethingElse(bytes, format)) return undefined;
    throw error;
  }
}

/** Whether a file is sound and holds no tensor, several ones, or one that cannot be a latent by its type or rank. */
function holdsSomethingElse(bytes: Uint8Array, format: IngestRequest['format']): boolean {
  try {
    const tensors = format === 'npy' ? [readNpy(bytes)] : [...readSafetensors(bytes).tensors.values()];
    const rank = tensors[0]?.shape.length ?? 0;
    return tensors.length !== 1 || rank < MIN_LATENT_RANK || rank > MAX_LATENT_RANK;
  } catch (error) {
    return error instanceof CodecError && /(^|\.)(descr|dtype)$/.test(error.field);
  }
}

/** `[C, h, w]`, with a batch, and with a frame. */
const MIN_LATENT_RANK = 3;
const MAX_LATENT_RANK = 5;

function dropBatch(tensor: Tensor): Tensor {
  const { shape } = tensor;
  if (shape.length === MIN_LATENT_RANK) return tensor;
  if (shape.length === MIN_LATENT_RANK + 1 && shape[0] === 1) return { ...tensor, shape: shape.slice(1) };
  throw new CodecError('raw', 'shape', `[${shape.join(', ')}] is no latent of one picture: [C, h, w] or [1, C, h, w]`);
}

/** The model that the client names, else the prefix's, else the default, else the only one whose channels fit. */
function chooseModel(tensor: Tensor, { hints, policyModel, defaultModel, models }: IngestRequest): LatentModel {
  const channels = tensor.shape[0] ?? 0;
  const named = hints.model ?? policyModel;
  if (named !== undefined) {
    const model = models.find(({ name }) => name === named);
    if (!model) throw unknownModel(named, models);
    if (model.latentChannels !== channels) {
      throw new S3Error(
        'InvalidRequest',
        `The latent has ${channels} channels; the model "${named}" takes ${model.latentChannels}.`,
      );
    }
    return model;
  }
  const fitting = models.filter(({ latentChannels }) => latentChannels === channels);
  const only = fitting.find(({ name }) => name === defaultModel) ?? (fitting.length === 1 ? fitting[0] : undefined);
  if (only) return only;
  const choice = fitting.map(({ name }) => `"${name}"`).join(', ');
  throw new S3Error(
    'InvalidRequest',
    fitting.length === 0
      ? `No installed model takes latents of ${channels} channels. Install one with "latentbox model add", or store the file as it is under a prefix with the policy "put: verbatim".`
      : `Several models take latents of ${channels} channels: name one of ${choice} in x-amz-meta-lbx-model.`,
  );
}

/** No installed model has the name that the client gave. */
export function unknownModel(name: string, models: readonly LatentModel[]): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The model "${name}" is not installed here. Installed: ${models.map((model) => `"${model.name}"`).join(', ')}.`,
  );
}

function factsOf(
  image: LatentImage,
  model: LatentModel,
  maxPixels: number,
): Omit<LatentFacts, 'render' | 'metadataInContainer'> {
  const { tensor, width, height } = image;
  const [channels = 0, rows = 0, columns = 0] = tensor.shape;
  if (channels !== model.latentChannels) {
    throw new S3Error(
      'InvalidRequest',
      `The latent has ${channels} channels; the model "${model.name}" takes ${model.latentChannels}.`,
    );
  }
  const decodedWidth = columns * model.spatialFactor;
  const decodedHeight = rows * model.spatialFactor;
  if (width < 1 || height < 1 || width > decodedWidth || height > decodedHeight) {
    throw new S3Error(
      'InvalidRequest',
      `A picture of ${width}x${height} cannot be cut from the ${decodedWidth}x${decodedHeight} that the latent decodes to.`,
    );
  }
  if (decodedWidth * decodedHeight > maxPixels) {
    throw new S3Error(
      'InvalidRequest',
      `The latent decodes to ${decodedWidth}x${decodedHeight} pixels; at most ${maxPixels} are allowed (limits.imagePixels).`,
    );
  }
  return {
    model: image.model,
    width,
    height,
    tensor: `${tensor.dtype}:${tensor.shape.join('x')}`,
    contentId: contentId(image),
  };
}

/** 32 hex digits over everything that a decoded picture depends on, the model's own weights aside. */
function contentId({ tensor, width, height, scaled, pngChunks }: LatentImage): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([tensor.dtype, tensor.shape, width, height, scaled]));
  hash.update(tensor.data);
  for (const place of [pngChunks.beforeIdat, pngChunks.afterIdat]) {
    hash.update('\0');
    for (const { type, data } of place) hash.update(`${type}${data.byteLength}:`).update(data);
  }
  return hash.digest('hex').slice(0, 32);
}
