import { describe, expect, it } from 'vitest';
import { SingleFlight } from './single-flight.js';

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const forever = new AbortController().signal;

describe('SingleFlight', () => {
  it('runs the work once for callers of one key and says who led', async () => {
    const flights = new SingleFlight<number>();
    const gate = deferred<number>();
    let runs = 0;
    const work = () => {
      runs += 1;
      return gate.promise;
    };
    const callers = [1, 2, 3].map(() => flights.run('k', work, forever));
    gate.resolve(7);
    expect(await Promise.all(callers)).toEqual([
      { value: 7, leader: true },
      { value: 7, leader: false },
      { value: 7, leader: false },
    ]);
    expect(runs).toBe(1);
    expect(flights.size).toBe(0);
  });

  it('goes on when the leader leaves while another waits', async () => {
    const flights = new SingleFlight<string>();
    const gate = deferred<string>();
    let aborted = false;
    const leaving = new AbortController();
    const work = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return gate.promise;
    };
    const leader = flights.run('k', work, leaving.signal);
    const follower = flights.run('k', work, forever);
    leaving.abort(new Error('client left'));
    await expect(leader).rejects.toThrow('client left');
    expect(aborted).toBe(false);
    gate.resolve('done');
    expect((await follower).value).toBe('done');
  });

  it('cancels the work when the last caller leaves, and a later caller starts afresh', async () => {
    const flights = new SingleFlight<string>();
    let aborts = 0;
    const leaving = new AbortController();
    const never = (signal: AbortSignal) =>
      new Promise<string>((_, reject) => {
        signal.addEventListener('abort', () => {
          aborts += 1;
          reject(new Error('cancelled'));
        });
      });
    const only = flights.run('k', never, leaving.signal);
    leaving.abort(new Error('left'));
    await expect(only).rejects.toThrow('left');
    expect(aborts).toBe(1);
    expect((await flights.run('k', async () => 'fresh', forever)).value).toBe('fresh');
  });

  it('shares an error and does not remember it', async () => {
    const flights = new SingleFlight<string>();
    const gate = deferred<string>();
    const both = [flights.run('k', () => gate.promise, forever), flights.run('k', () => gate.promise, forever)];
    gate.reject(new Error('broken'));
    for (const result of await Promise.allSettled(both)) expect(result.status).toBe('rejected');
    expect((await flights.run('k', async () => 'ok', forever)).value).toBe('ok');
  });

  it('lets later callers start afresh after forget, while the first still get their answer', async () => {
    const flights = new SingleFlight<string>();
    const gate = deferred<string>();
    const stale = flights.run('k', () => gate.promise, forever);
    flights.forget('k');
    expect(await flights.run('k', async () => 'new', forever)).toEqual({ value: 'new', leader: true });
    gate.resolve('old');
    expect((await stale).value).toBe('old');
  });

  it('refuses a caller that has already left', async () => {
    const flights = new SingleFlight<string>();
    await expect(flights.run('k', async () => 'x', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(flights.size).toBe(0);
  });
});
