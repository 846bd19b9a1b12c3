/**
 * CloudFront standard logs (tab-separated, columns named by `#Fields`): every GET that was answered with bytes counts,
 * whether the edge had it or not, since the question is what a cache would do with the whole demand.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
 */
import { shown } from '../trace-error.js';
import { FieldFault, parseBytes, parseSeconds, parseStatus } from './numbers.js';
import type { LineParser } from './record.js';

const NEEDED = ['date', 'time', 'sc-bytes', 'cs-method', 'cs-uri-stem', 'sc-status'] as const;
type Needed = (typeof NEEDED)[number];

const OK = 200;
const PARTIAL_CONTENT = 206;

/** A parser for one file: the header that it meets says where the columns are. */
export function cloudFrontParser(): LineParser {
  let columns: Record<Needed, number> | undefined;
  let width = 0;
  return (line) => {
    if (line.startsWith('#')) {
      if (line.startsWith('#Fields:')) {
        const names = line.slice('#Fields:'.length).trim().split(/\s+/);
        columns = columnsOf(names);
        width = names.length;
      }
      return undefined;
    }
    if (columns === undefined) throw new FieldFault('#Fields', 'expected a "#Fields:" line before the first record');
    const values = line.split('\t');
    if (values.length !== width)
      throw new FieldFault('#Fields', `the record has ${values.length} columns, the header names ${width}`);
    const at = columns;
    const value = (field: Needed): string => values[at[field]] ?? '';
    if (value('cs-method') !== 'GET') return undefined;
    const status = parseStatus('sc-status', value('sc-status') === '000' ? '499' : value('sc-status'));
    if (status !== OK && status !== PARTIAL_CONTENT) return undefined;
    const key = value('cs-uri-stem');
    if (!key.startsWith('/')) throw new FieldFault('cs-uri-stem', `${shown(key)}: expected a path`);
    return {
      time: parseSeconds('date', `${value('date')}T${value('time')}Z`),
      key,
      imageBytes: status === OK ? parseBytes('sc-bytes', value('sc-bytes')) : undefined,
      latentBytes: undefined,
    };
  };
}

function columnsOf(names: readonly string[]): Record<Needed, number> {
  return Object.fromEntries(
    NEEDED.map((field) => {
      const column = names.indexOf(field);
      if (column === -1) throw new FieldFault('#Fields', `no column ${field}; there are ${names.join(', ')}`);
      return [field, column];
    }),
  ) as Record<Needed, number>;
}
