/** Quantities for people: bytes, shares, durations, money. */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_HOUR = 3600;

/** Decimal units, as bills have them: 1 kB is 1,000 bytes. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(Math.abs(value) < 10 ? 2 : 1)} ${UNITS[unit] ?? ''}`;
}

/** @param share of 1 */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  const whole = Math.round(seconds);
  if (whole < SECONDS_PER_MINUTE) return `${whole} s`;
  if (whole < SECONDS_PER_HOUR) return `${Math.floor(whole / SECONDS_PER_MINUTE)} min ${whole % SECONDS_PER_MINUTE} s`;
  return `${Math.floor(whole / SECONDS_PER_HOUR)} h ${Math.floor((whole % SECONDS_PER_HOUR) / SECONDS_PER_MINUTE)} min`;
}

export function formatDollars(dollars: number): string {
  return `$${dollars.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: dollars < 1 ? 4 : 2 })}`;
}
