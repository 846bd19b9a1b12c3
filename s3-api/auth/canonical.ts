/**
 * Canonical forms of a request, as AWS Signature Version 4 hashes them, from its raw wire form.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import type { WireRequest } from '../wire-request.js';

/** Escapes of octets that SigV4 escapes, with upper-case digits: text of these and of unreserved characters stays as it is. */
const ESCAPE = '%(?:[0189A-F][0-9A-F]|2[0-9A-C]|3[A-F]|40|5[B-E]|60|7[BCDF])';
const CANONICAL_PATH = new RegExp(`^(?:[A-Za-z0-9\\-._~/]|${ESCAPE})*$`);
const CANONICAL_COMPONENT = new RegExp(`^(?:[A-Za-z0-9\\-._~]|%2F|${ESCAPE})*$`);
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;
const SLASH = 0x2f;

/** Octet → its canonical spelling. */
const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  const char = String.fromCharCode(octet);
  return UNRESERVED.test(char) ? char : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
});

/**
 * The canonical URI: each octet in the one spelling that SigV4 has for it, nothing normalised. Clients differ on an
 * escaped slash, which names the same key either way: most sign `/`, some what they sent. Both are given, most likely
 * first.
 */
export function canonicalUris(rawPath: string): readonly string[] {
  if (CANONICAL_PATH.test(rawPath)) return [rawPath];
  const slashed = reencode(rawPath, { slash: '/', escapedSlash: '/' });
  const escaped = reencode(rawPath, { slash: '/', escapedSlash: '%2F' });
  return slashed === escaped ? [slashed] : [slashed, escaped];
}

/** Sorted by name, then value, in their encoded forms; `except` names a parameter (the signature) to leave out. */
export function canonicalQuery(rawQuery: string, except?: string): string {
  if (rawQuery === '') return '';
  const pairs: [name: string, value: string][] = [];
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = canonicalComponent(equals < 0 ? pair : pair.slice(0, equals));
    if (name !== except) pairs.push([name, equals < 0 ? '' : canonicalComponent(pair.slice(equals + 1))]);
  }
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/** `name:value\n` for each signed header, in the client's order; `host` stands in for the Host header where given. */
export function canonicalHeaders(
  request: Pick<WireRequest, 'headers'>,
  signedHeaders: readonly string[],
  host?: string,
): string {
  const values = new Map<string, string>();
  for (const [name, value] of request.headers) {
    const before = values.get(name);
    const trimmed = collapseSpaces(value);
    values.set(name, before === undefined ? trimmed : `${before},${trimmed}`);
  }
  if (host !== undefined) values.set('host', host);
  let text = '';
  for (const name of signedHeaders) text += `${name}:${values.get(name) ?? ''}\n`;
  return text;
}

function canonicalComponent(text: string): string {
  if (CANONICAL_COMPONENT.test(text)) return text;
  return reencode(text.replaceAll('+', ' '), { slash: '%2F', escapedSlash: '%2F' });
}

function reencode(text: string, spelling: { readonly slash: string; readonly escapedSlash: string }): string {
  const octets = Buffer.from(text, 'latin1');
  let encoded = '';
  for (let i = 0; i < octets.length; i++) {
    let octet = octets[i] ?? 0;
    let slash = spelling.slash;
    if (octet === 0x25 && HEX_PAIR.test(text.slice(i + 1, i + 3))) {
      octet = Number.parseInt(text.slice(i + 1, i + 3), 16);
      slash = spelling.escapedSlash;
      i += 2;
    }
    encoded += octet === SLASH ? slash : (ENCODED[octet] ?? '');
  }
  return encoded;
}

function collapseSpaces(value: string): string {
  const trimmed = value.trim();
  return trimmed.includes('  ') ? trimmed.replace(/ {2,}/g, ' ') : trimmed;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
