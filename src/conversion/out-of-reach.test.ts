import { describe, expect, it } from 'vitest';
import { outOfReach } from './out-of-reach.js';

/** Best PSNR at some steps, joined by straight lines. */
function curve(points: Readonly<Record<number, number>>): number[] {
  const known = Object.entries(points).map(([step, psnr]) => [Number(step), psnr] as const);
  const last = known.at(-1)?.[0] ?? 0;
  return Array.from({ length: last + 1 }, (_, step) => {
    const next = known.find(([at]) => at >= step) ?? [0, 0];
    const before = known.findLast(([at]) => at <= step) ?? next;
    const share = next[0] === before[0] ? 0 : (step - before[0]) / (next[0] - before[0]);
    return before[1] + share * (next[1] - before[1]);
  });
}

/** The step at which the search is given up, as it would be: asked after each. */
function givenUpAt(points: Readonly<Record<number, number>>, floor = 38): number | undefined {
  const whole = curve(points);
  return whole.map((_, step) => step).find((step) => outOfReach(whole.slice(0, step + 1), floor));
}

describe('giving up', () => {
  it('never happens to pictures that the decoder made, on their measured curves', () => {
    expect(givenUpAt({ 0: 29.4, 10: 35.7, 20: 39.9, 40: 44.7, 80: 45.8, 120: 58.1 })).toBeUndefined();
    expect(givenUpAt({ 0: 28.2, 10: 36.4, 20: 39.3, 40: 40.8, 80: 41.3, 120: 42.2 })).toBeUndefined();
    expect(givenUpAt({ 0: 32.6, 10: 35.9, 20: 37.0, 40: 37.5, 80: 37.8, 120: 38.8 })).toBeUndefined();
  });

  it('happens to pictures of other decoders within a few steps', () => {
    expect(givenUpAt({ 0: 32.3, 10: 32.8, 60: 33.2, 120: 33.4 })).toBe(10);
    expect(givenUpAt({ 0: 34.6, 10: 35.1, 60: 35.5, 120: 35.7 })).toBeLessThan(25);
  });

  it('does not happen before there is something to judge, or above the floor', () => {
    expect(givenUpAt({ 0: 20, 9: 20 })).toBeUndefined();
    expect(givenUpAt({ 0: 38, 120: 38 })).toBeUndefined();
  });
});
