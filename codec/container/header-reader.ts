/** The JSON header of a container, held to its rules; unknown keys are left for later writers of version 1. */
import { CodecError } from '../errors.js';
import type { PngAncillaryChunk, PngAncillaryChunks } from '../png/index.js';
import { isJsonObject, parseStrictJson, type JsonObject } from '../strict-json.js';
import { countElements } from '../tensors/shape.js';
import { BYTES_PER_ELEMENT, type DType, type TensorLimits } from '../tensor.js';
import type { CodecSettings, ContainerHeader, LatentOrigin } from './latent-image.js';

/** The most pixels on an axis that a latent cell stands for: twice what any family has. */
const MAX_SPATIAL_FACTOR = 64;
/** PNG's own bound on a side (PNG third edition, 11.2.1). */
const MAX_SIDE = 2 ** 31 - 1;
const MAX_MODEL_CHARACTERS = 256;
const SHA256 = /^[0-9a-f]{64}$/;
const ANCILLARY_TYPE = /^[a-z][a-zA-Z]{3}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

type ParsedHeader = Omit<ContainerHeader, 'payloadOffset'>;

/** @throws CodecError naming the key that is missing or wrong */
export function parseHeader(bytes: Uint8Array, limits: TensorLimits): ParsedHeader {
  const header = parseStrictJson('container', 'header', bytes);
  const dtype = parseDType(header['dtype']);
  const shape = parseShape(header['shape'], limits);
  const [, rows, columns] = shape;
  const payload = objectAt(header['payload'], 'payload');
  return {
    model: parseModel(header['model']),
    dtype,
    shape,
    width: integerAt(header['width'], 'width', 1, Math.min(MAX_SIDE, Math.max(1, columns * MAX_SPATIAL_FACTOR))),
    height: integerAt(header['height'], 'height', 1, Math.min(MAX_SIDE, Math.max(1, rows * MAX_SPATIAL_FACTOR))),
    scaled: booleanAt(header['scaled'], 'scaled'),
    origin: parseOrigin(header['origin']),
    pngChunks: parseChunks(header['pngChunks']),
    attributes: parseAttributes(header['attributes']),
    tensorSha256: sha256At(header['tensorSha256'], 'tensorSha256'),
    codec: parseCodec(header['codec']),
    payloadLength: integerAt(payload['length'], 'payload.length', 0, Number.MAX_SAFE_INTEGER),
    payloadSha256: sha256At(payload['sha256'], 'payload.sha256'),
  };
}

function wrong(key: string, problem: string): CodecError {
  return new CodecError('container', `header.${key}`, problem);
}

function parseModel(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_MODEL_CHARACTERS) {
    throw wrong('model', `must be a name of 1 to ${MAX_MODEL_CHARACTERS} characters`);
  }
  return value;
}

function parseDType(value: unknown): DType {
  if (typeof value === 'string' && Object.hasOwn(BYTES_PER_ELEMENT, value)) return value as DType;
  throw wrong('dtype', 'must be f16, bf16 or f32');
}

function parseShape(value: unknown, limits: TensorLimits): readonly [number, number, number] {
  const sizes: readonly unknown[] = Array.isArray(value) ? value : [];
  const [channels, rows, columns] = sizes;
  if (sizes.length !== 3 || typeof channels !== 'number' || typeof rows !== 'number' || typeof columns !== 'number') {
    throw wrong('shape', 'must be [channels, rows, columns]');
  }
  const shape = [channels, rows, columns] as const;
  countElements('container', 'header.shape', shape, limits);
  return shape;
}

function parseOrigin(value: unknown): LatentOrigin {
  const { kind, psnr, ssim } = objectAt(value, 'origin');
  if (kind === 'supplied') return { kind };
  if (kind !== 'encoded') throw wrong('origin.kind', 'must be supplied or encoded');
  if (typeof psnr !== 'number' && psnr !== null) throw wrong('origin.psnr', 'must be a number or null');
  if (typeof ssim !== 'number') throw wrong('origin.ssim', 'must be a number');
  return { kind, psnr: psnr ?? Infinity, ssim };
}

function parseChunks(value: unknown): PngAncillaryChunks {
  if (!Array.isArray(value)) throw wrong('pngChunks', 'must be a list');
  const beforePlte: PngAncillaryChunk[] = [];
  const beforeIdat: PngAncillaryChunk[] = [];
  const afterIdat: PngAncillaryChunk[] = [];
  const places = { beforePlte, beforeIdat, afterIdat };
  (value as readonly unknown[]).forEach((item, index) => {
    const key = `pngChunks[${index}]`;
    const { type, at, data } = objectAt(item, key);
    if (typeof type !== 'string' || !ANCILLARY_TYPE.test(type)) throw wrong(`${key}.type`, 'must be an ancillary type');
    if (at !== 'beforePlte' && at !== 'beforeIdat' && at !== 'afterIdat') {
      throw wrong(`${key}.at`, 'must be beforePlte, beforeIdat or afterIdat');
    }
    if (typeof data !== 'string' || !BASE64.test(data)) throw wrong(`${key}.data`, 'must be base64');
    places[at].push({ type, data: Buffer.from(data, 'base64') });
  });
  return { ...(beforePlte.length > 0 && { beforePlte }), beforeIdat, afterIdat };
}

function parseAttributes(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(objectAt(value, 'attributes')).map(([key, text]): [string, string] => {
    if (typeof text !== 'string') throw wrong(`attributes.${key}`, 'must be text');
    return [key, text];
  });
  return Object.fromEntries(entries);
}

function parseCodec(value: unknown): CodecSettings {
  const { id, ...settings } = objectAt(value, 'codec');
  if (typeof id !== 'string' || id === '') throw wrong('codec.id', 'must be a name');
  const entries = Object.entries(settings).map(([key, setting]): [string, string | number] => {
    if (typeof setting !== 'string' && typeof setting !== 'number')
      throw wrong(`codec.${key}`, 'must be text or a number');
    return [key, setting];
  });
  return { ...Object.fromEntries(entries), id };
}

function objectAt(value: unknown, key: string): JsonObject {
  if (!isJsonObject(value)) throw wrong(key, 'must be a JSON object');
  return value;
}

function booleanAt(value: unknown, key: string): boolean {
  if (typeof value !== 'boolean') throw wrong(key, 'must be true or false');
  return value;
}

function integerAt(value: unknown, key: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    throw wrong(key, `must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function sha256At(value: unknown, key: string): string {
  if (typeof value !== 'string' || !SHA256.test(value)) throw wrong(key, 'must be 64 lower-case hex digits');
  return value;
}
