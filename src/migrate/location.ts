/** `BUCKET[/PREFIX]`, as the command line names what is migrated. */

export interface Location {
  readonly bucket: string;
  /** Empty: the whole bucket. A prefix is a text, not a folder: `a` also covers `ab`. */
  readonly prefix: string;
}

/** @throws RangeError where there is no bucket */
export function parseLocation(text: string): Location {
  const [, bucket = '', prefix = ''] = /^(?:s3:\/\/)?([^/]*)\/?(.*)$/s.exec(text) ?? [];
  if (bucket === '') throw new RangeError(`${JSON.stringify(text)} names no bucket: expected BUCKET or BUCKET/PREFIX`);
  return { bucket, prefix };
}

export function formatLocation({ bucket, prefix }: Location): string {
  return prefix === '' ? bucket : `${bucket}/${prefix}`;
}

/** The key under `to` for a key under `from`: the prefix is exchanged, the rest stays. */
export function mapKey(key: string, from: Location, to: Location): string {
  return to.prefix + key.slice(from.prefix.length);
}
