import { describe, expect, it } from 'vitest';
import { RateLimiter } from './rate-limiter.js';

const never = new AbortController().signal;

function limiter(perSecond: number) {
  let now = 0;
  const clock = () => now;
  const sleep = (ms: number) => {
    now += ms;
    return Promise.resolve();
  };
  return { limiter: new RateLimiter({ perSecond, clock, sleep }), now: () => now, pass: (ms: number) => (now += ms) };
}

describe('a rate limiter', () => {
  it('lets a second of work through at once and spaces out the rest', async () => {
    const { limiter: rate, now } = limiter(10);
    for (let i = 0; i < 40; i++) await rate.take(1, never);
    expect(now()).toBeGreaterThan(2800);
    expect(now()).toBeLessThan(3100);
  });

  it('lets a large unit through and makes the next one pay', async () => {
    const { limiter: rate, now } = limiter(100);
    await rate.take(1000, never);
    expect(now()).toBe(0);
    await rate.take(1, never);
    expect(now()).toBeCloseTo(9000);
  });

  it('saves up no more than a second while nothing happens', async () => {
    const { limiter: rate, now, pass } = limiter(10);
    pass(60_000);
    for (let i = 0; i < 30; i++) await rate.take(1, never);
    expect(now() - 60_000).toBeGreaterThan(1800);
  });

  it('does not wait without a limit, and refuses a rate that lets nothing pass', async () => {
    const { limiter: rate, now } = limiter(Infinity);
    await rate.take(1e12, never);
    expect(now()).toBe(0);
    expect(() => limiter(0)).toThrow(RangeError);
  });
});
