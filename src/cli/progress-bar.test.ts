import { describe, expect, it } from 'vitest';
import { barLine, ProgressBar } from './progress-bar.js';

describe('a progress bar', () => {
  it('says how much is done and how long the rest will take', () => {
    expect(barLine({ done: 25, total: 100, note: '3 failed' }, 10)).toBe(
      `[${'='.repeat(7)}${' '.repeat(21)}]  25 % 30 s left  3 failed`,
    );
  });

  it('counts where the total is not known', () => {
    expect(barLine({ done: 1234 }, 10)).toBe('1,234 done');
  });

  it('never runs over its end', () => {
    expect(barLine({ done: 12, total: 10 }, 10)).toContain('100 %');
  });

  it('writes nothing where nobody watches, nor in the first second', () => {
    const written: string[] = [];
    let now = 0;
    const out = (isTTY: boolean) =>
      ({ isTTY, columns: 80, write: (text: string) => written.push(text) }) as unknown as NodeJS.WriteStream;
    const unseen = new ProgressBar(out(false), () => now);
    const seen = new ProgressBar(out(true), () => now);
    now = 999;
    seen.update({ done: 1, total: 2 });
    now = 2000;
    unseen.update({ done: 1, total: 2 });
    expect(written).toEqual([]);
    seen.update({ done: 1, total: 2 });
    expect(written).toHaveLength(1);
  });
});
