import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Release } from './byte-semaphore.js';
import { ByteSemaphore } from './byte-semaphore.js';

const NEVER = new AbortController().signal;

describe('the byte semaphore', () => {
  it('admits waiters in order as bytes are given back', async () => {
    const semaphore = new ByteSemaphore({ capacity: 10, maxWaiting: 4 });
    const order: string[] = [];
    const first = await semaphore.acquire(8, NEVER);
    const large = semaphore.acquire(9, NEVER).then((release) => {
      order.push('large');
      return release;
    });
    const small = semaphore.acquire(1, NEVER).then((release) => {
      order.push('small');
      return release;
    });
    expect(semaphore.waiting).toBe(2);
    first();
    (await large)();
    (await small)();
    expect(order).toEqual(['large', 'small']);
    expect(semaphore.held).toBe(0);
  });

  it('releases once, however often it is told', async () => {
    const semaphore = new ByteSemaphore({ capacity: 10, maxWaiting: 0 });
    const release = await semaphore.acquire(6, NEVER);
    release();
    release();
    expect(semaphore.held).toBe(0);
  });

  it('refuses with SlowDown when its waiting room is full', async () => {
    const semaphore = new ByteSemaphore({ capacity: 10, maxWaiting: 1 });
    await semaphore.acquire(10, NEVER);
    void semaphore.acquire(1, NEVER);
    await expect(semaphore.acquire(1, NEVER)).rejects.toMatchObject({ code: 'SlowDown' });
  });

  it('lets a request behind an aborted one pass', async () => {
    const semaphore = new ByteSemaphore({ capacity: 10, maxWaiting: 4 });
    await semaphore.acquire(5, NEVER);
    const controller = new AbortController();
    const large = semaphore.acquire(9, controller.signal);
    const small = semaphore.acquire(2, NEVER);
    controller.abort(new Error('left'));
    await expect(large).rejects.toThrow('left');
    await small;
    expect(semaphore.held).toBe(7);
  });

  it('lets a request larger than its capacity run alone', async () => {
    const semaphore = new ByteSemaphore({ capacity: 10, maxWaiting: 4 });
    const huge = await semaphore.acquire(50, NEVER);
    const next = semaphore.acquire(1, NEVER);
    expect(semaphore.waiting).toBe(1);
    huge();
    (await next)();
    expect(semaphore.held).toBe(0);
  });

  it('never holds more than its capacity and ends empty, whatever comes and goes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 10 }), abort: fc.boolean() }), { maxLength: 40 }),
        async (requests) => {
          const semaphore = new ByteSemaphore({ capacity: 10, maxWaiting: 100 });
          const held: Release[] = [];
          const all = requests.map(async ({ bytes, abort }) => {
            const controller = new AbortController();
            const acquired = semaphore.acquire(bytes, controller.signal).then(
              (release) => held.push(release),
              () => 0,
            );
            if (abort) controller.abort(new Error('left'));
            await acquired;
            expect(semaphore.held).toBeLessThanOrEqual(10);
            await new Promise((resolve) => setImmediate(resolve));
            held.shift()?.();
          });
          await Promise.all(all);
          for (const release of held) release();
          expect([semaphore.held, semaphore.waiting]).toEqual([0, 0]);
        },
      ),
      { numRuns: 50 },
    );
  });
});
