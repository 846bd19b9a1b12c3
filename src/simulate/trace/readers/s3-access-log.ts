/**
 * S3 server access logs: a GET of an object that was answered with bytes is a request for an image.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
 */
import { shown } from '../trace-error.js';
import { FieldFault, parseBytes, parseStatus } from './numbers.js';
import type { LineParser, LogRecord } from './record.js';

/** The leading fields in their order; later ones, which AWS may add to, are not looked at. */
const FIELDS = [
  'Bucket Owner',
  'Bucket',
  'Time',
  'Remote IP',
  'Requester',
  'Request ID',
  'Operation',
  'Key',
  'Request-URI',
  'HTTP status',
  'Error Code',
  'Bytes Sent',
  'Object Size',
] as const;
type Field = (typeof FIELDS)[number];

const OPERATIONS = new Set(['REST.GET.OBJECT', 'WEBSITE.GET.OBJECT']);
const ABSENT = '-';
const OK = 200;
const PARTIAL_CONTENT = 206;

/** @throws FieldFault */
export const parseS3AccessLogLine: LineParser = (line): LogRecord | undefined => {
  const fields = split(line);
  const status = fields['HTTP status'];
  if (!OPERATIONS.has(fields.Operation)) return undefined;
  const code = parseStatus('HTTP status', status);
  if (code !== OK && code !== PARTIAL_CONTENT) return undefined;
  if (fields.Key === ABSENT) throw new FieldFault('Key', `"-" in a ${fields.Operation} that succeeded`);
  return {
    time: parseTime(fields.Time),
    key: `${fields.Bucket}/${fields.Key}`,
    imageBytes: sizeOf(fields, code),
    latentBytes: undefined,
  };
};

/** A part of an object does not tell the whole's size, the answer to a plain GET does. */
function sizeOf(fields: Record<Field, string>, status: number): number | undefined {
  if (fields['Object Size'] !== ABSENT) return parseBytes('Object Size', fields['Object Size']);
  if (status === OK && fields['Bytes Sent'] !== ABSENT) return parseBytes('Bytes Sent', fields['Bytes Sent']);
  return undefined;
}

/** Fields lie between single blanks; one in brackets or quotes may hold blanks. */
function split(line: string): Record<Field, string> {
  const found = {} as Record<Field, string>;
  let at = 0;
  for (const field of FIELDS) {
    const opening = line[at];
    const closing = opening === '[' ? ']' : opening === '"' ? '"' : undefined;
    const from = closing === undefined ? at : at + 1;
    let end = line.indexOf(closing ?? ' ', from);
    if (end === -1 && closing === undefined && at < line.length) end = line.length;
    if (end === -1 || (closing === undefined && end === from)) throw new FieldFault(field, missing(line, at));
    found[field] = line.slice(from, end);
    at = closing === undefined ? end : end + 1;
    if (at < line.length && line[at] !== ' ')
      throw new FieldFault(field, `${shown(line.slice(from, at + 1))}: expected a blank after it`);
    at += 1;
  }
  return found;
}

function missing(line: string, at: number): string {
  return at >= line.length ? 'the line ends before it' : `${shown(line.slice(at))}: expected a value`;
}

const TIME = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function parseTime(text: string): number {
  const match = TIME.exec(text);
  const [, day = '', month = '', year = '', hour = '', minute = '', second = '', sign, offHours, offMinutes] =
    match ?? [];
  const number = MONTHS.indexOf(month);
  const date = Date.UTC(Number(year), number, Number(day), Number(hour), Number(minute), Number(second));
  if (match === null || number === -1 || new Date(date).getUTCDate() !== Number(day) || Number(hour) > 23)
    throw new FieldFault('Time', `${shown(text)}: expected a time such as 06/Feb/2026:00:00:38 +0000`);
  const offset = (Number(offHours) * 60 + Number(offMinutes)) * 60;
  return date / 1000 - (sign === '-' ? -offset : offset);
}
