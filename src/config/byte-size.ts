/** Byte sizes as people write them in a configuration: `2GiB`, `512 MB`, `1048576`, or a share of memory, `25%`. */
import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Bytes that `text` means, rounded down.
 *
 * @param totalMemory what a percentage is a share of, in bytes
 * @returns undefined where the text is not a size
 */
export function parseByteSize(text: string | number, totalMemory: number): number | undefined {
  if (typeof text === 'number') return Number.isSafeInteger(text) && text >= 0 ? text : undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%|[a-z]*)\s*$/i.exec(text);
  if (!match) return undefined;
  const amount = Number(match[1]);
  const unit = (match[2] ?? '').toLowerCase();
  if (unit === '%') return amount <= 100 ? Math.floor((amount / 100) * totalMemory) : undefined;
  const factor = unit === '' ? 1 : UNITS[unit];
  const bytes = factor === undefined ? NaN : Math.floor(amount * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A schema that accepts a size and keeps it in bytes. */
export function byteSize(totalMemory: number, minimum = 0) {
  const expected = `a size such as 512MiB, 2GB, 1048576 or 25% (of memory)${minimum > 0 ? `, at least ${minimum} bytes` : ''}`;
  return z.union([z.string(), z.number()], { error: `expected ${expected}` }).transform((value, context) => {
    const bytes = parseByteSize(value, totalMemory);
    if (bytes === undefined || bytes < minimum) {
      context.addIssue({ code: 'custom', message: `expected ${expected}` });
      return z.NEVER;
    }
    return bytes;
  });
}
