import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Quarantine } from './quarantine.js';

it('runs one thing alone after what was begun and before what comes later', async () => {
  const quarantine = new Quarantine();
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await turn();
    await turn();
    events.push(`${name} ends`);
  };
  await Promise.all([
    quarantine.together(work('a')),
    quarantine.together(work('b')),
    quarantine.alone(work('x')),
    quarantine.together(work('c')),
    quarantine.alone(work('y')),
  ]);
  const at = (event: string) => events.indexOf(event);
  expect(at('b begins')).toBeLessThan(at('a ends'));
  for (const before of ['a ends', 'b ends']) expect(at(before)).toBeLessThan(at('x begins'));
  expect(at('x begins') + 1).toBe(at('x ends'));
  expect(at('y begins') + 1).toBe(at('y ends'));
  expect(at('x ends')).toBeLessThan(at('c begins'));
});

it('goes on after work that failed', async () => {
  const quarantine = new Quarantine();
  await expect(quarantine.alone(() => Promise.reject(new Error('died')))).rejects.toThrow('died');
  await expect(quarantine.together(() => Promise.reject(new Error('died')))).rejects.toThrow('died');
  expect(await quarantine.alone(() => Promise.resolve(1))).toBe(1);
});
