/** Standalone pcodec files, as the official tools write and read them, from and to raw little-endian bytes. */
import { CodecError } from '../errors.js';
import { callEngine } from './engine.js';

/** pcodec's number types with the byte that stands for each in a file. */
const NUMBER_TYPES = {
  u8: { code: 10, bytes: 1 },
  i8: { code: 11, bytes: 1 },
  u16: { code: 7, bytes: 2 },
  i16: { code: 8, bytes: 2 },
  f16: { code: 9, bytes: 2 },
  u32: { code: 1, bytes: 4 },
  i32: { code: 3, bytes: 4 },
  f32: { code: 5, bytes: 4 },
  u64: { code: 2, bytes: 8 },
  i64: { code: 4, bytes: 8 },
  f64: { code: 6, bytes: 8 },
} as const;

export type PcodecNumberType = keyof typeof NUMBER_TYPES;

/**
 * How numbers are split before they are coded. `float-quant:K` expects K low bits that are mostly equal, `int-mult:B`
 * and `float-mult:B` multiples of a base, `dict` few distinct values. `auto` looks for one at the cost of some time.
 */
export type PcodecMode =
  'auto' | 'classic' | 'dict' | `float-quant:${number}` | `int-mult:${number}` | `float-mult:${number}`;

/** How a number is predicted from those before it: `consecutive:N` Nth differences, `conv1:N` a fitted filter of N taps. */
export type PcodecDelta = 'auto' | 'none' | 'lookback' | `consecutive:${number}` | `conv1:${number}`;

export interface PcodecSettings {
  /** 0 to 12. Default 8; 12 gains about 0.3 % on latents for a tenth of the speed. */
  readonly level?: number;
  /** Default `auto`. */
  readonly mode?: PcodecMode;
  /** Default `auto`. */
  readonly delta?: PcodecDelta;
  /** Numbers of one chunk, each with statistics of its own, 1 to 2^24. Default 2^18. */
  readonly chunk?: number;
}

export interface PcodecNumbers {
  readonly numberType: PcodecNumberType;
  /** Little-endian. */
  readonly data: Uint8Array;
}

const DEFAULT_LEVEL = 8;
const MAX_LEVEL = 12;
const DEFAULT_CHUNK = 1 << 18;
/** A chunk's count has 24 bits. */
const MAX_CHUNK = 1 << 24;
const MODE_CODES = { auto: 0, classic: 1, 'int-mult': 2, 'float-mult': 3, 'float-quant': 4, dict: 5 } as const;
const DELTA_CODES = { auto: 0, none: 1, consecutive: 2, lookback: 3, conv1: 4 } as const;
const MAX_DELTA_ORDERS = { consecutive: 7, conv1: 32 } as const;
const MAGIC = 'pco!';
/** Beside input and output: buffers kept from a call before, decoding tables, the largest look-back window. */
const WORKING_MEMORY_BYTES = 160 << 20;
const WIDEST_NUMBER_BYTES = 8;

/**
 * Compresses numbers to a standalone pcodec file (format 4.1, uniform type, footer). Deterministic.
 *
 * @param data little-endian, a whole count of numbers; may be empty
 * @throws CodecError when a setting is out of range or does not fit the number type
 */
export function pcodecCompress(
  data: Uint8Array,
  numberType: PcodecNumberType,
  settings: PcodecSettings = {},
): Uint8Array {
  const { code, bytes } = NUMBER_TYPES[numberType];
  checkWhole(data, bytes, numberType);
  const level = integer('settings.level', settings.level ?? DEFAULT_LEVEL, 0, MAX_LEVEL);
  const chunk = integer('settings.chunk', settings.chunk ?? DEFAULT_CHUNK, 1, MAX_CHUNK);
  const mode = parseMode(settings.mode ?? 'auto');
  const delta = parseDelta(settings.delta ?? 'auto');
  const { output } = callEngine(data, Infinity, (engine, length) =>
    engine.pcodec_compress(length, code, level, mode.code, mode.argument, delta.code, delta.order, chunk),
  );
  return output;
}

/**
 * As `pcodecCompress`, for a tensor of planes: each plane is coded by its values or by its differences and gets tables of
 * its own or shares its neighbours', whichever its histogram says is smaller. The result is an ordinary file of chunks.
 *
 * @param planeNumbers numbers of one plane (h times w of a latent), at least 1
 */
export function pcodecCompressPlanes(
  data: Uint8Array,
  numberType: 'u16' | 'f16' | 'f32',
  planeNumbers: number,
  settings: Pick<PcodecSettings, 'level' | 'mode'> = {},
): Uint8Array {
  const { code, bytes } = NUMBER_TYPES[numberType];
  checkWhole(data, bytes, numberType);
  const level = integer('settings.level', settings.level ?? DEFAULT_LEVEL, 0, MAX_LEVEL);
  const plane = integer('planeNumbers', planeNumbers, 1, 0x7fff_ffff);
  const mode = parseMode(settings.mode ?? 'classic');
  const { output } = callEngine(data, Infinity, (engine, length) =>
    engine.pcodec_compress_planes(length, code, level, mode.code, mode.argument, plane),
  );
  return output;
}

/**
 * Decompresses a standalone pcodec file of any number type, mode and delta of format 4.1 and before.
 *
 * @param maxNumbers a file that declares more is refused before they are allocated
 * @throws CodecError when the file is damaged, too long, or newer than this reader
 */
export function pcodecDecompress(file: Uint8Array, maxNumbers: number): PcodecNumbers {
  integer('maxNumbers', maxNumbers, 0, 0x7fff_ffff);
  if (Buffer.from(file.buffer, file.byteOffset, Math.min(4, file.byteLength)).toString('latin1') !== MAGIC) {
    throw new CodecError('pcodec', 'magic', `a standalone pcodec file begins with "${MAGIC}"`);
  }
  const maxMemory = WORKING_MEMORY_BYTES + file.byteLength + 2 * WIDEST_NUMBER_BYTES * maxNumbers;
  const { output, numberType } = callEngine(file, maxMemory, (engine, length) =>
    engine.pcodec_decompress(length, maxNumbers),
  );
  const found = Object.entries(NUMBER_TYPES).find(([, { code }]) => code === numberType);
  if (!found) throw new CodecError('pcodec', 'number type', 'an empty file without a number type');
  return { numberType: found[0] as PcodecNumberType, data: output };
}

export function pcodecNumberBytes(numberType: PcodecNumberType): number {
  return NUMBER_TYPES[numberType].bytes;
}

function checkWhole(data: Uint8Array, bytes: number, numberType: PcodecNumberType): void {
  if (data.byteLength % bytes === 0) return;
  throw new CodecError('pcodec', 'data', `${data.byteLength} bytes are no whole count of ${numberType}`);
}

function parseMode(text: PcodecMode): { code: number; argument: number } {
  const [name, argument] = splitSetting(text);
  const code = lookUp(MODE_CODES, name);
  const value = argument === undefined ? 0 : Number(argument);
  const takesArgument = name === 'float-quant' || name.endsWith('-mult');
  if (code === undefined || takesArgument !== (argument !== undefined) || !Number.isFinite(value)) {
    throw new CodecError('pcodec', 'settings.mode', `unknown: ${JSON.stringify(text)}`);
  }
  if (name === 'float-quant') integer('settings.mode', value, 0, 52);
  if (name === 'int-mult') integer('settings.mode', value, 1, Number.MAX_SAFE_INTEGER);
  return { code, argument: value };
}

function parseDelta(text: PcodecDelta): { code: number; order: number } {
  const [name, argument] = splitSetting(text);
  const code = lookUp(DELTA_CODES, name);
  const maxOrder = lookUp(MAX_DELTA_ORDERS, name);
  if (code === undefined || (maxOrder !== undefined) !== (argument !== undefined)) {
    throw new CodecError('pcodec', 'settings.delta', `unknown: ${JSON.stringify(text)}`);
  }
  return { code, order: maxOrder === undefined ? 0 : integer('settings.delta', Number(argument), 0, maxOrder) };
}

function splitSetting(text: string): [string, string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

function lookUp(table: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function integer(field: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new CodecError('pcodec', field, `${value} is no whole number from ${least} to ${most}`);
  }
  return value;
}
