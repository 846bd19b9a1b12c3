import { describe, expect, it } from 'vitest';
import { catalogueSize, generateRequests, SYNTHETIC_DEFAULTS, type SyntheticOptions } from './generator.js';

interface Request {
  readonly time: number;
  readonly object: number;
  readonly imageBytes: number;
  readonly latentBytes: number;
}

function requestsOf(options: Partial<SyntheticOptions>): Request[] {
  const all: Request[] = [];
  for (const { length, times, objects, imageBytes, latentBytes } of generateRequests({
    ...SYNTHETIC_DEFAULTS,
    ...options,
  })) {
    for (let i = 0; i < length; i++) {
      all.push({
        time: times[i] ?? NaN,
        object: objects[i] ?? NaN,
        imageBytes: imageBytes[i] ?? NaN,
        latentBytes: latentBytes[i] ?? NaN,
      });
    }
  }
  return all;
}

describe('the synthetic trace', () => {
  it('gives exactly the requests asked for, in the order of time', () => {
    for (const requests of [1, 2, 100, 8192, 8193, 50_000]) {
      const all = requestsOf({ requests });
      expect(all).toHaveLength(requests);
      expect(all.every(({ time }, i) => i === 0 || time >= (all[i - 1]?.time ?? NaN))).toBe(true);
    }
  });

  it('is the same for a seed, and another for another seed', () => {
    expect(requestsOf({ requests: 5000, seed: 7 })).toEqual(requestsOf({ requests: 5000, seed: 7 }));
    expect(requestsOf({ requests: 5000, seed: 7 })).not.toEqual(requestsOf({ requests: 5000, seed: 8 }));
  });

  it('numbers objects densely in the order of their first request', () => {
    let next = 0;
    for (const { object } of requestsOf({ requests: 30_000 })) {
      expect(object).toBeLessThanOrEqual(next);
      if (object === next) next += 1;
    }
    expect(next).toBeLessThanOrEqual(catalogueSize(30_000));
  });

  it('gives an object the same sizes at every request, around the means asked for', () => {
    const sizes = new Map<number, string>();
    let images = 0;
    let latents = 0;
    for (const { object, imageBytes, latentBytes } of requestsOf({
      requests: 60_000,
      meanImageBytes: 1_000_000,
      meanLatentBytes: 300_000,
    })) {
      const known = sizes.get(object);
      const pair = `${imageBytes} ${latentBytes}`;
      if (known === undefined) {
        sizes.set(object, pair);
        images += imageBytes;
        latents += latentBytes;
      } else if (known !== pair) expect.fail(`object ${object} changed from ${known} to ${pair}`);
    }
    expect(images / sizes.size / 1_000_000).toBeCloseTo(1, 1);
    expect(latents / sizes.size / 300_000).toBeCloseTo(1, 1);
    expect(new Set(sizes.values()).size).toBeGreaterThan(0.99 * sizes.size);
  });

  it('bears more images in a surge', () => {
    const share = (phases: SyntheticOptions['phases']): number => {
      const all = requestsOf({ requests: 20_000, phases });
      const { duration } = SYNTHETIC_DEFAULTS;
      const firsts = all.filter(({ object }, i) => all.findIndex((other) => other.object === object) === i);
      return firsts.filter(({ time }) => time >= 0.4 * duration && time < 0.5 * duration).length / firsts.length;
    };
    expect(share([])).toBeCloseTo(0.1, 2);
    expect(share([{ from: 0.4, to: 0.5, births: 4 }])).toBeCloseTo(4 / 13, 2);
  });
});
