/** Which bucket and key a request names: path-style and virtual-hosted addressing. */
import { decodePath } from './url-encoding.js';

export interface Address {
  /** Empty: the service itself. */
  readonly bucket: string;
  /** Empty: the bucket itself. */
  readonly key: string;
  readonly virtualHosted: boolean;
}

/** `host` without its port, in lower case. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
}

/** The bucket that a Host header names under one of `domains` (lower case), longest domain first. */
function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  const name = hostName(host);
  if (domains.includes(name)) return undefined;
  for (const domain of domains)
    if (name.endsWith(`.${domain}`) && name.length > domain.length + 1) return name.slice(0, -domain.length - 1);
  return undefined;
}

/**
 * Resolves the raw path and Host header. Only the first `/` after the bucket is syntax: `//`, `..` and the rest belong
 * to the key. Throws InvalidURI for escapes that are not UTF-8.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
export function resolveAddress(rawPath: string, host: string | undefined, domains: readonly string[]): Address {
  const path = rawPath.startsWith('/') ? rawPath.slice(1) : rawPath;
  const hosted = host === undefined || domains.length === 0 ? undefined : bucketOfHost(host, domains);
  if (hosted !== undefined) return { bucket: hosted, key: decodePath(path), virtualHosted: true };
  const slash = path.indexOf('/');
  if (slash < 0) return { bucket: decodePath(path), key: '', virtualHosted: false };
  return { bucket: decodePath(path.slice(0, slash)), key: decodePath(path.slice(slash + 1)), virtualHosted: false };
}

/** Domains as `resolveAddress` takes them: lower case, the longest first so that nested domains work. */
export function normalizeDomains(domains: readonly string[]): readonly string[] {
  return domains.map(hostName).toSorted((a, b) => b.length - a.length);
}
