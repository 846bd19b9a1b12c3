/** S3's key order: UTF-8 bytes, which differs from JavaScript's UTF-16 order beyond U+FFFF. */

/** Surrogates (D800–DFFF) stand for code points above U+FFFF, so they must sort after E000–FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Negative, zero or positive as `a` sorts before, with or after `b` by UTF-8 bytes; no copy of either is made. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}
