/** What the crash test's writer does at step `n`, known to the process that checks it afterwards. */
import { noise } from './contract/context.js';

export const CRASH_BUCKET = 'crash';
/** Without spaces: they stand in the journal's lines. */
export const CRASH_KEYS: readonly string[] = ['plain', 'folder/deep/er', 'plain/inside', '..', 'x'.repeat(300)];

export function isDelete(n: number): boolean {
  return n % 5 === 4;
}

export function isMultipart(n: number): boolean {
  return n % 5 === 2;
}

/** Sizes from nothing to several pages, different bytes each time. */
export function crashBody(key: string, n: number): Buffer {
  return noise((n * 7919 + key.length) % 40_000, n + key.length + 1);
}
