/**
 * Where an object's bytes lie: a key becomes a relative path that reads like the key, can be turned back into it, and
 * never leaves its bucket's folder.
 *
 * A `%` followed by two hex digits is one escaped byte; every other `%` is a marker that no key can produce, since a
 * key's own `%` becomes `%25`:
 *
 * | marker | stands for |
 * | --- | --- |
 * | `%` as a whole name | an empty segment (`a//b`, `/a`, `a/`) |
 * | `name%-` | a folder whose name goes on in the next one (segments over 255 bytes) |
 * | `name%d`, `name%f` | folder and file of the *apart* form, see {@link apartPath} |
 * | `%long/HASH` | SHA-256 of a key whose path would be too long for the system |
 */
import { createHash } from 'node:crypto';

/** Linux's NAME_MAX is 255 bytes; room is left for the longest pair of markers. */
const MAX_NAME_BYTES = 240;
/** Linux's PATH_MAX is 4,096 bytes; the rest is for the data folder's own path. */
const MAX_PATH_BYTES = 3000;

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const ESCAPED = /[\u0000-\u001f\u007f%]/g;

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function escapeSegment(segment: string): string {
  if (segment === '') return '%';
  return escapeDots(segment.replace(ESCAPED, escapeCharacter));
}

/** A name of one or two dots means the folder itself or the one above it, also where it is the rest of a long segment. */
function escapeDots(name: string): string {
  return name === '.' || name === '..' ? name.replaceAll('.', '%2E') : name;
}

/** Cuts an escaped name into pieces that a directory entry can hold, never through a character or an escape. */
function splitName(name: string): string[] {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return [name];
  const pieces: string[] = [];
  let piece = '';
  let bytes = 0;
  for (const [unit] of name.matchAll(/%[0-9A-F]{2}|[^]/gu)) {
    const size = Buffer.byteLength(unit);
    if (bytes + size > MAX_NAME_BYTES) {
      pieces.push(piece);
      piece = '';
      bytes = 0;
    }
    piece += unit;
    bytes += size;
  }
  return [...pieces, escapeDots(piece)];
}

function keyPath(key: string, folderMarker: string, fileMarker: string): string {
  const segments = key.split('/');
  const names: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const pieces = splitName(escapeSegment(segment));
    const end = pieces.pop() ?? '';
    names.push(...pieces.map((piece) => `${piece}%-`), end + (index < segments.length - 1 ? folderMarker : fileMarker));
  }
  const path = names.join('/');
  return Buffer.byteLength(path) <= MAX_PATH_BYTES ? path : `%long/${createHash('sha256').update(key).digest('hex')}`;
}

/** The path that a person would look for: `a/b.png` lies in `a/b.png`. */
export function plainPath(key: string): string {
  return keyPath(key, '', '');
}

/**
 * The path of a key whose plain one is taken, because S3 lets `a` and `a/b` exist at once and a file system does not.
 * Files and folders carry different endings here, so two apart paths never collide with each other or with a plain one.
 */
export function apartPath(key: string): string {
  return keyPath(key, '%d', '%f');
}

/** The key whose path this is, in either form; `undefined` for `%long` paths and for names that no key produces. */
export function keyOfPath(path: string): string | undefined {
  const names = path.split('/');
  if (names[0] === '%long') return undefined;
  let key = '';
  let escaped = '';
  for (const [index, name] of names.entries()) {
    const last = index === names.length - 1;
    if (name.endsWith('%-') && !last) {
      escaped += name.slice(0, -2);
      continue;
    }
    escaped += name.endsWith(last ? '%f' : '%d') ? name.slice(0, -2) : name;
    const segment = escaped === '%' ? '' : escaped;
    if (segment.replace(/%[0-9A-F]{2}/g, '').includes('%')) return undefined;
    key += segment.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (!last) key += '/';
    escaped = '';
  }
  return key;
}
