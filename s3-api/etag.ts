/** ETags: unquoted inside, quoted on the wire. */

/** `abc` → `"abc"`. */
export function quoteEtag(etag: string): string {
  return `"${etag}"`;
}

/** `"abc"`, `abc` or `W/"abc"` → `abc`: S3 takes entity tags with and without quotes. */
export function unquoteEtag(text: string): string {
  const trimmed = text.trim().replace(/^W\//, '');
  return trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1) : trimmed;
}

/** A list of entity tags (`"a", "b"` or `*`) as If-Match carries it. */
export function parseEtagList(value: string): readonly string[] {
  return value
    .split(',')
    .map(unquoteEtag)
    .filter((etag) => etag !== '');
}
