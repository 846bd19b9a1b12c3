import { describe, expect, it } from 'vitest';
import { BucketNames } from './bucket-names.js';

describe('bucket names', () => {
  it('get the prefix, unless they are mapped one by one', () => {
    const names = new BucketNames({ bucketPrefix: 'team-', buckets: { images: 'legacy-store' } });
    expect(names.toBacking('logs')).toBe('team-logs');
    expect(names.toBacking('images')).toBe('legacy-store');
    expect(names.fromBacking('team-logs')).toBe('logs');
    expect(names.fromBacking('legacy-store')).toBe('images');
  });

  it('hide buckets over there that are none of ours', () => {
    const names = new BucketNames({ bucketPrefix: 'team-', buckets: { images: 'legacy-store' } });
    for (const foreign of ['other', 'team-', 'team-images']) expect(names.fromBacking(foreign)).toBeUndefined();
  });
});
