/** Values of log fields, strictly: what is not exactly a number or a time of the format is a fault. */
import { shown } from '../trace-error.js';

/** What is wrong with one field; the reader adds file and line. */
export class FieldFault extends Error {
  constructor(
    readonly field: string,
    readonly problem: string,
  ) {
    super(`${field}: ${problem}`);
  }
}

const MAX_BYTES = 2 ** 32 - 1;

/** A size from 1 byte to 4 GiB - 1, the bound of a trace's arrays. */
export function parseBytes(field: string, text: string): number {
  const bytes = Number(text);
  if (!/^\d{1,10}$/.test(text) || bytes < 1 || bytes > MAX_BYTES)
    throw new FieldFault(field, `${shown(text)}: expected a size from 1 to ${MAX_BYTES} bytes`);
  return bytes;
}

const ISO_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/;

/** Seconds: a plain number, or an ISO 8601 date and time (UTC where it names no zone) since 1970. */
export function parseSeconds(field: string, text: string): number {
  if (/^\d{1,15}(?:\.\d{1,12})?$/.test(text)) return Number(text);
  if (ISO_TIME.test(text)) {
    const zoned = /(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`;
    const milliseconds = Date.parse(zoned.replace(' ', 'T'));
    if (Number.isFinite(milliseconds)) return milliseconds / 1000;
  }
  throw new FieldFault(field, `${shown(text)}: expected seconds, or a time such as 2026-11-24T15:30:00Z`);
}

/** A status from 100 to 599. */
export function parseStatus(field: string, text: string): number {
  if (!/^[1-5]\d\d$/.test(text)) throw new FieldFault(field, `${shown(text)}: expected an HTTP status`);
  return Number(text);
}
