import { describe, expect, it } from 'vitest';
import { KeyEpochs } from './key-epochs.js';

describe('KeyEpochs', () => {
  it('is current until a write to the same key ends', () => {
    const epochs = new KeyEpochs();
    const read = epochs.take('a');
    const other = epochs.take('b');
    epochs.written('a');
    expect([read.isCurrent(), other.isCurrent()]).toEqual([false, true]);
  });

  it('takes a new epoch after a write as current', () => {
    const epochs = new KeyEpochs();
    const before = epochs.take('a');
    epochs.written('a');
    expect([before.isCurrent(), epochs.take('a').isCurrent()]).toEqual([false, true]);
  });

  it('keeps nothing once all operations are over', () => {
    const epochs = new KeyEpochs();
    const holders = [epochs.take('a'), epochs.take('a')];
    epochs.written('a');
    for (const holder of holders) {
      holder.release();
      holder.release();
    }
    expect(epochs.size).toBe(0);
    epochs.written('a');
    expect(epochs.size).toBe(0);
  });
});
