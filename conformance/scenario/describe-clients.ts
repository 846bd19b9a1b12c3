/** Every client on one way to the gateway: a test file each, so that two of them can share the two cores. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENTS } from '../clients/index.js';
import type { RouteName, StoreName } from '../support/observations.js';
import { Stack } from '../support/stack.js';
import { makeFixtures } from './fixtures.js';
import { runClient, type World } from './run-client.js';

const inCi = process.env['CI'] !== undefined;
const clients = await Promise.all(CLIENTS.map(async (client) => ({ client, missing: await client.missing() })));

export async function describeClients(store: StoreName, route: RouteName): Promise<void> {
  const lacking = await Stack.missing(store, route);
  describe(`on the ${store} store, ${route}`, () => {
    if (lacking !== undefined) {
      // On a developer's machine a client may be absent; in CI every one must be there.
      it.skipIf(!inCi)(`needs ${lacking}`, () => expect.unreachable(`${lacking} is missing`));
      return;
    }
    let world: World | undefined;
    beforeAll(async () => {
      const names = CLIENTS.map(({ name }) => name);
      world = { stack: await Stack.start(store, route, names), fixtures: await makeFixtures() };
    });
    afterAll(async () => {
      await world?.stack.close();
      await world?.fixtures.close();
    });
    for (const { client, missing } of clients) {
      describe(client.title, () => {
        if (missing !== undefined) it.skipIf(!inCi)(`needs ${missing}`, () => expect.unreachable(`no ${missing}`));
        else
          runClient(client, store, route, () => {
            if (!world) throw new Error('the gateway did not start');
            return world;
          });
      });
    }
  });
}
