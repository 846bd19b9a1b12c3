/**
 * 32 evenly spread bits of a key: FNV-1a with Murmur3's finaliser. For sampling, not against an adversary: one who
 * chooses keys can bias the sample, and with it only the border.
 */
export function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hashNumber(hash);
}

/** The same of a whole number below 2^32. */
export function hashNumber(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
