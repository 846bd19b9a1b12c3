import { describe, expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.js';

describe('the pool of pixel buffers', () => {
  it('gives a buffer again, to one taker only and for its exact length only', () => {
    const pool = new BufferPool();
    const first = pool.take(300);
    pool.give(first.buffer);
    expect(pool.take(299).buffer).not.toBe(first.buffer);
    expect(pool.take(300).buffer).toBe(first.buffer);
    expect(pool.take(300).buffer).not.toBe(first.buffer);
  });

  it('keeps four buffers and sixteen mebibytes at most, the newest ones', () => {
    const pool = new BufferPool();
    const given = [1, 2, 3, 4, 5].map((length) => new ArrayBuffer(length));
    for (const buffer of given) pool.give(buffer);
    expect(pool.bytes).toBe(2 + 3 + 4 + 5);
    pool.give(new ArrayBuffer(1 << 24));
    expect(pool.bytes).toBe(1 << 24);
    pool.give(new ArrayBuffer((1 << 24) + 1));
    expect(pool.bytes).toBe(1 << 24);
  });

  it('does not keep a buffer that was transferred away', () => {
    const pool = new BufferPool();
    const { buffer } = pool.take(8);
    structuredClone(buffer, { transfer: [buffer] });
    pool.give(buffer);
    expect(pool.bytes).toBe(0);
  });
});
