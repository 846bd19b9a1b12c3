/** Which backing bucket a bucket is. */
export interface BucketNamesOptions {
  readonly bucketPrefix: string;
  /** Backing bucket by name; others get the prefix. */
  readonly buckets: Readonly<Record<string, string>>;
}

export class BucketNames {
  readonly #prefix: string;
  readonly #backing: ReadonlyMap<string, string>;
  readonly #own: ReadonlyMap<string, string>;

  constructor({ bucketPrefix, buckets }: BucketNamesOptions) {
    this.#prefix = bucketPrefix;
    this.#backing = new Map(Object.entries(buckets));
    this.#own = new Map(Object.entries(buckets).map(([own, backing]) => [backing, own]));
  }

  toBacking(bucket: string): string {
    return this.#backing.get(bucket) ?? this.#prefix + bucket;
  }

  /** Undefined for a backing bucket that no bucket of ours is. */
  fromBacking(backing: string): string | undefined {
    const mapped = this.#own.get(backing);
    if (mapped !== undefined) return mapped;
    if (!backing.startsWith(this.#prefix)) return undefined;
    const bucket = backing.slice(this.#prefix.length);
    return bucket === '' || this.#backing.has(bucket) ? undefined : bucket;
  }
}
