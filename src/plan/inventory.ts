/** What lies in a bucket: sizes and ages of its PNGs, from a listing, an S3 Inventory or any CSV. */
import { shown, TraceError } from '../simulate/trace/trace-error.js';
import { FieldFault, parseSeconds } from '../simulate/trace/readers/numbers.js';
import { splitCsv } from '../simulate/trace/readers/csv.js';
import { filesOf } from '../simulate/trace/readers/text-trace.js';
import { readLines } from '../simulate/trace/readers/text-lines.js';
import type { SizeClass } from './workload.js';

export interface InventoryObject {
  readonly key: string;
  readonly size: number;
  readonly lastModified?: Date;
}

export interface Inventory {
  readonly images: number;
  readonly imageBytes: number;
  /** Objects that are no PNG, by their name; they cost the same either way. */
  readonly others: number;
  readonly otherBytes: number;
  /** Images by age in whole months; where no age is known, all at 0. */
  readonly ages: readonly number[];
  readonly sizes: readonly SizeClass[];
  /** Images that came in a month, over the last year; undefined where ages are unknown. */
  readonly birthsPerMonth: number | undefined;
}

const MONTH_MS = (365.25 / 12) * 86_400_000;
const MONTHS_OF_BIRTHS = 12;
/** Size classes a power of two: fine enough for a minimum billed size to bite in the right place. */
const CLASSES_PER_OCTAVE = 4;

/**
 * @param latentShare size of a latent as a share of its PNG
 * @param now ages are counted to it
 */
export async function takeInventory(
  objects: AsyncIterable<InventoryObject>,
  { latentShare, now }: { readonly latentShare: number; readonly now: Date },
): Promise<Inventory> {
  const classes = new Map<number, { count: number; bytes: number }>();
  const ages: number[] = [];
  let [images, imageBytes, others, otherBytes, dated] = [0, 0, 0, 0, 0];
  for await (const { key, size, lastModified } of objects) {
    if (!/\.png$/i.test(key) || size === 0) {
      others += 1;
      otherBytes += size;
      continue;
    }
    images += 1;
    imageBytes += size;
    const octave = Math.floor(Math.log2(size) * CLASSES_PER_OCTAVE);
    const known = classes.get(octave) ?? { count: 0, bytes: 0 };
    classes.set(octave, { count: known.count + 1, bytes: known.bytes + size });
    const age =
      lastModified === undefined ? 0 : Math.max(0, Math.floor((now.getTime() - lastModified.getTime()) / MONTH_MS));
    if (lastModified !== undefined) dated += 1;
    ages[age] = (ages[age] ?? 0) + 1;
  }
  const filled = Array.from(ages, (count: number | undefined) => count ?? 0);
  const recent = filled.slice(0, MONTHS_OF_BIRTHS);
  return {
    images,
    imageBytes,
    others,
    otherBytes,
    ages: filled,
    sizes: [...classes.values()].map(({ count, bytes }) => ({
      share: count / images,
      imageBytes: bytes / count,
      latentBytes: (bytes / count) * latentShare,
    })),
    birthsPerMonth: dated === 0 ? undefined : recent.reduce((a, b) => a + b, 0) / Math.max(1, recent.length),
  };
}

/** Columns of a CSV without names, as an S3 Inventory of current versions has them: Bucket, Key, Size, LastModifiedDate. */
const S3_INVENTORY_COLUMNS = { key: 1, size: 2, lastModified: 3 };
const NAMES = {
  key: ['key', 'name', 'object'],
  size: ['size', 'bytes'],
  lastModified: ['lastmodifieddate', 'last_modified_date', 'last_modified', 'lastmodified'],
};

/**
 * Objects of an S3 Inventory in CSV (whose files have no header and URL-encoded keys), or of any CSV with a header that
 * names `key` and `size`, and perhaps `last_modified`; a folder is read as one list.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
 * @throws TraceError at the first line that is neither
 */
export async function* readInventory(path: string): AsyncGenerator<InventoryObject, void> {
  for (const file of await filesOf(path)) {
    if (!/\.csv(?:\.gz)?$/.test(file) && file !== path) continue;
    let columns: Columns | undefined;
    for await (const { first, lines } of readLines(file)) {
      for (const [i, line] of lines.entries()) {
        if (line === '') continue;
        try {
          const values = splitCsv(line, ',');
          const header = columns === undefined ? headerColumns(values) : undefined;
          columns ??= header ?? S3_INVENTORY_COLUMNS;
          if (header === undefined) yield parseObject(values, columns);
        } catch (error) {
          if (!(error instanceof FieldFault)) throw error;
          throw new TraceError({ file, line: first + i, field: error.field, problem: error.problem });
        }
      }
    }
  }
}

interface Columns {
  readonly key: number;
  readonly size: number;
  readonly lastModified: number;
}

function headerColumns(values: readonly string[]): Columns | undefined {
  const names = values.map((value) => value.trim().toLowerCase());
  const place = (wanted: readonly string[]): number => names.findIndex((name) => wanted.includes(name));
  const found = { key: place(NAMES.key), size: place(NAMES.size), lastModified: place(NAMES.lastModified) };
  return found.key === -1 || found.size === -1 ? undefined : found;
}

function parseObject(values: readonly string[], { key, size, lastModified }: Columns): InventoryObject {
  const text = values[size];
  if (values[key] === undefined || text === undefined)
    throw new FieldFault('Key', `the line has ${values.length} columns; expected Bucket, Key, Size, or a header`);
  if (!/^\d{1,15}$/.test(text)) throw new FieldFault('Size', `${shown(text)}: expected a size in bytes`);
  const modified = values[lastModified];
  return {
    key: values[key],
    size: Number(text),
    ...(modified !== undefined &&
      modified !== '' && { lastModified: new Date(parseSeconds('LastModifiedDate', modified) * 1000) }),
  };
}
