/** Makes one page of a listing from an ordered iterator of keys: prefix, delimiter, marker and page size. */
import { compareKeys } from './key-order.js';
import type { ListOptions } from './object-store.js';

/** Where an iteration starts: at `key` itself, or after every key that starts with `afterPrefix`. */
export type ListPosition = { readonly after: string } | { readonly afterPrefix: string };

/** Opens an iteration over keys with `prefix`, in UTF-8 byte order, from `position` on (absent: from the first). */
export type OpenKeys<T extends { readonly key: string }> = (
  prefix: string,
  position: ListPosition | undefined,
) => AsyncIterable<T> | Iterable<T>;

export interface ListPage<T> {
  readonly objects: readonly T[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** When truncated: the last key or common prefix of this page, to pass on as `startAfter`. */
  readonly nextStartAfter?: string;
}

/** The common prefix that `key` rolls up into, or `undefined` where it stands for itself. */
export function commonPrefixOf(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || delimiter === '') return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

/** Whether `key` lies after `position`. For stores whose iterator cannot seek. */
export function isAfter(key: string, position: ListPosition | undefined): boolean {
  if (position === undefined) return true;
  if ('after' in position) return compareKeys(key, position.after) > 0;
  return compareKeys(key, position.afterPrefix) > 0 && !key.startsWith(position.afterPrefix);
}

/**
 * Collects one page. Whole common prefixes are skipped by reopening the iteration behind them, so a page costs about
 * `maxKeys` seeks however many keys the prefixes hold.
 *
 * A `startAfter` that lies inside a common prefix skips that prefix: entries are compared as they are listed, and the
 * prefix itself sorts before the marker.
 */
export async function collectListPage<T extends { readonly key: string }>(
  open: OpenKeys<T>,
  options: ListOptions,
): Promise<ListPage<T>> {
  const { prefix = '', delimiter, startAfter, maxKeys } = options;
  const objects: T[] = [];
  const commonPrefixes: string[] = [];
  if (maxKeys === 0) return { objects, commonPrefixes, isTruncated: false };

  let position = startPosition(prefix, delimiter, startAfter);
  let last: string | undefined;
  for (;;) {
    let skipped: string | undefined;
    for await (const entry of open(prefix, position)) {
      if (objects.length + commonPrefixes.length === maxKeys)
        return { objects, commonPrefixes, isTruncated: true, ...(last !== undefined && { nextStartAfter: last }) };
      const group = commonPrefixOf(entry.key, prefix, delimiter);
      last = group ?? entry.key;
      if (group === undefined) {
        objects.push(entry);
      } else {
        commonPrefixes.push(group);
        skipped = group;
        break;
      }
    }
    if (skipped === undefined) return { objects, commonPrefixes, isTruncated: false };
    position = { afterPrefix: skipped };
  }
}

function startPosition(prefix: string, delimiter: string | undefined, startAfter: string | undefined) {
  if (startAfter === undefined || startAfter === '') return undefined;
  const group = startAfter.startsWith(prefix) ? commonPrefixOf(startAfter, prefix, delimiter) : undefined;
  return (group === undefined ? { after: startAfter } : { afterPrefix: group }) satisfies ListPosition;
}
