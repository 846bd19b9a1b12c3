/**
 * CSV (RFC 4180, a record a line): with a header that names the columns, or libCacheSim's plain columns, whose places
 * its own parameter string tells (`time-col=1,obj-id-col=2,obj-size-col=3`, counted from 1).
 *
 * @see https://github.com/1a1a11a/libCacheSim/blob/develop/doc/quickstart_cachesim.md
 */
import { shown } from '../trace-error.js';
import { FieldFault, parseBytes, parseSeconds } from './numbers.js';
import type { LineParser } from './record.js';

const ROLES = ['time', 'object', 'imageBytes', 'latentBytes'] as const;
type Role = (typeof ROLES)[number];

/** Names in a header, in lower case, that mean a role. */
const NAMES: Readonly<Record<Role, readonly string[]>> = {
  time: ['time', 'timestamp', 'clock_time', 'real_time'],
  object: ['object', 'key', 'obj_id', 'object_id', 'id'],
  imageBytes: ['image_bytes', 'size', 'obj_size', 'object_size', 'bytes'],
  latentBytes: ['latent_bytes'],
};
const PARAMETERS: Readonly<Record<string, Role>> = {
  'time-col': 'time',
  'obj-id-col': 'object',
  'obj-size-col': 'imageBytes',
};
const LIB_CACHE_SIM_ORDER: CsvColumns = { time: 0, object: 1, imageBytes: 2, delimiter: ',', header: false };

/** Places of the columns, from 0. */
export interface CsvColumns {
  readonly time: number;
  readonly object: number;
  readonly imageBytes: number;
  readonly latentBytes?: number;
  readonly delimiter: string;
  readonly header: boolean;
}

/**
 * libCacheSim's parameter string.
 *
 * @throws RangeError that names the parameter
 */
export function parseCsvColumns(text: string): CsvColumns {
  const places: Partial<Record<Role, number>> = {};
  let delimiter = ',';
  let header = false;
  // A delimiter may itself be a comma.
  for (const [, name = '', value = ''] of text.matchAll(/([a-z-]+)\s*=\s*(,|[^,]*)/g)) {
    const role = PARAMETERS[name];
    if (role !== undefined) {
      if (!/^[1-9]\d{0,3}\s*$/.test(value)) throw new RangeError(`${name}=${value}: expected a column from 1`);
      places[role] = Number(value) - 1;
    } else if (name === 'delimiter') {
      delimiter = value === String.raw`\t` || value === 'tab' ? '\t' : value;
      if (delimiter.length !== 1) throw new RangeError(`delimiter=${value}: expected one character`);
    } else if (name === 'has-header') {
      if (value.trim() !== 'true' && value.trim() !== 'false')
        throw new RangeError(`has-header=${value}: expected true or false`);
      header = value.trim() === 'true';
    } else if (name !== 'obj-id-is-num') {
      throw new RangeError(`${name}: expected ${Object.keys(PARAMETERS).join(', ')}, delimiter or has-header`);
    }
  }
  const { time, object, imageBytes } = places;
  if (time === undefined || object === undefined || imageBytes === undefined)
    throw new RangeError(`"${text}": expected time-col, obj-id-col and obj-size-col`);
  return { time, object, imageBytes, delimiter, header };
}

/** A parser for one file; without `columns`, the first line says whether there is a header. */
export function csvParser(columns?: CsvColumns): LineParser {
  let known = columns;
  let first = true;
  return (line) => {
    const isFirst = first;
    first = false;
    if (isFirst && known === undefined) {
      const values = splitCsv(line, ',');
      const plain = /^\d+(?:\.\d+)?$/.test(values[0] ?? '');
      known = plain ? LIB_CACHE_SIM_ORDER : columnsOf(values);
    }
    if (known === undefined || (isFirst && known.header)) return undefined;
    const at = known;
    const values = splitCsv(line, at.delimiter);
    const value = (role: Role): string => {
      const text = values[at[role] ?? -1]?.trim();
      if (text === undefined || text === '') throw new FieldFault(role, `column ${(at[role] ?? 0) + 1} is not there`);
      return text;
    };
    return {
      time: parseSeconds('time', value('time')),
      key: value('object'),
      imageBytes: parseBytes('imageBytes', value('imageBytes')),
      latentBytes: at.latentBytes === undefined ? undefined : parseBytes('latentBytes', value('latentBytes')),
    };
  };
}

function columnsOf(header: readonly string[]): CsvColumns {
  const names = header.map((name) => name.trim().toLowerCase());
  const place = (role: Role): number => names.findIndex((name) => NAMES[role].includes(name));
  for (const role of ROLES) {
    if (place(role) === -1 && role !== 'latentBytes')
      throw new FieldFault(
        role,
        `no column is called ${NAMES[role].join(', ')}; there are ${shown(header.join(', '))}`,
      );
  }
  const latentBytes = place('latentBytes');
  return {
    time: place('time'),
    object: place('object'),
    imageBytes: place('imageBytes'),
    ...(latentBytes !== -1 && { latentBytes }),
    delimiter: ',',
    header: true,
  };
}

/** Values of one record; a value in quotes may hold the delimiter and doubled quotes, but no line end. */
export function splitCsv(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const values: string[] = [];
  let at = 0;
  for (;;) {
    let value = '';
    if (line[at] === '"') {
      for (at += 1; ; at++) {
        if (at >= line.length) throw new FieldFault(`column ${values.length + 1}`, 'its quote is not closed');
        if (line[at] !== '"') value += line[at] ?? '';
        else if (line[at + 1] === '"') value += line[++at] ?? '';
        else break;
      }
      at += 1;
      if (at < line.length && line[at] !== delimiter)
        throw new FieldFault(`column ${values.length + 1}`, 'text follows its closing quote');
    } else {
      const end = line.indexOf(delimiter, at);
      value = line.slice(at, end === -1 ? line.length : end);
      at = end === -1 ? line.length : end;
    }
    values.push(value);
    if (at >= line.length) return values;
    at += 1;
  }
}
