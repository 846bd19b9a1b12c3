import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Exchange } from './exchange.js';

const missing = existsSync('/dev/shm') ? '' : ' (skipped: no /dev/shm)';

describe('the exchange without a memory file system', () => {
  it('is not there, and no error', () => {
    expect(Exchange.open(2, '/nowhere/at/all')).toBeUndefined();
  });
});

describe.skipIf(missing !== '')(`the exchange${missing}`, () => {
  function opened(slots: number): Exchange {
    const exchange = Exchange.open(slots);
    if (exchange === undefined) throw new Error('no exchange');
    return exchange;
  }

  it('gives back what was put into a slot, beside what others put into theirs', async () => {
    const exchange = opened(2);
    const slots = [exchange.take(), exchange.take()];
    const given = [Uint8Array.of(1, 2, 3), new Uint8Array(5 << 20).fill(7)];
    const places = await Promise.all(slots.map(async (slot, i) => slot?.put(given[i] ?? new Uint8Array())));
    for (const [i, slot] of slots.entries()) {
      const read = new Uint8Array(given[i]?.byteLength ?? 0);
      await slot?.get(places[i] ?? Number.NaN, read);
      expect(Buffer.compare(read, given[i] ?? new Uint8Array())).toBe(0);
      slot?.release();
    }
    exchange.close();
  });

  it('has as many slots as it was given, each once until it is released', () => {
    const exchange = opened(1);
    const slot = exchange.take();
    expect(exchange.take()).toBeUndefined();
    slot?.release();
    slot?.release();
    expect(exchange.take()).toBeDefined();
    expect(exchange.take()).toBeUndefined();
    exchange.close();
  });

  it('takes what fits a slot and leaves the rest to the pipe', async () => {
    const exchange = opened(1);
    const slot = exchange.take();
    const { bytes } = slot?.room ?? { bytes: 0 };
    expect(await slot?.put(new Uint8Array(bytes + 1))).toBeUndefined();
    expect(await slot?.put(new Uint8Array(bytes))).toBeDefined();
    expect(await slot?.put(new Uint8Array(1))).toBeUndefined();
    slot?.release();
    exchange.close();
  });

  it('refuses to read what was never written', async () => {
    const exchange = opened(1);
    const slot = exchange.take();
    await expect(slot?.get(1 << 30, new Uint8Array(4))).rejects.toThrow('0 of 4 bytes');
    slot?.release();
    exchange.close();
  });

  it('keeps its descriptor until the last slot is given back', async () => {
    const exchange = opened(2);
    const slot = exchange.take();
    exchange.close();
    expect(exchange.take()).toBeUndefined();
    expect(await slot?.put(Uint8Array.of(1))).toBeDefined();
    slot?.release();
  });
});
