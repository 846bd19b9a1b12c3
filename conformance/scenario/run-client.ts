/** Registers the tests of one client on one way to the gateway: the scenario, then the client's own steps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import type { Client } from '../clients/client.js';
import { observe, type Observation, type RouteName } from '../support/observations.js';
import { operationsIn } from '../support/operations-in.js';
import type { Stack } from '../support/stack.js';
import type { Fixtures } from './fixtures.js';
import { emptyBucketStep, SCENARIO } from './index.js';
import { downloaded } from './objects.js';
import type { Scene, Step } from './step.js';

export interface World {
  readonly stack: Stack;
  readonly fixtures: Fixtures;
}

/** @param world read when the tests run, not before */
export function runClient(client: Client, store: Stack['store'], route: RouteName, world: () => World): void {
  const bucket = `${client.name}-${route}`;
  const seen = { client: client.name, store, route };
  const observations: Observation[] = [];
  const known = new Map<string, Buffer>();
  let scene: Omit<Scene, 'scratch' | 'known'>;
  let mark = 0;

  beforeAll(async () => {
    const { stack, fixtures } = world();
    const access = await stack.access(client.name);
    mark = (await stack.log.records()).length;
    scene = {
      client,
      store,
      bucket,
      fixtures,
      session: await client.open(access),
      certificateAuthority: access.certificateAuthority,
      requests: (action) => stack.requestsOf(client.name, action),
    };
  });
  afterAll(async () => {
    await scene.session.close?.();
    const requests = (await world().stack.log.records()).slice(mark);
    const own = requests.filter(({ credentialName }) => credentialName === client.name);
    const operations = operationsIn(own).map((operation) => ({ kind: 'operation', ...seen, ...operation }) as const);
    await observe([...observations, ...operations]);
  });

  const run = (title: string, step: (scene: Scene) => Promise<unknown>, needs: Step['needs'] = []) =>
    it(title, async ({ skip }) => {
      const impossible = client.cannotDo?.[title];
      if (impossible !== undefined) skip(impossible);
      const lacking = needs.filter((method) => scene.session[method] === undefined);
      if (lacking.length > 0) skip(`${client.title} has no command for: ${lacking.join(', ')}`);
      const scratch = await mkdtemp(join(tmpdir(), 'latentbox-step-'));
      const here: Scene = {
        ...scene,
        scratch,
        known: async (key) => {
          const bytes = known.get(key) ?? (await downloaded(here, key));
          known.set(key, bytes);
          return bytes;
        },
      };
      try {
        await step(here);
        observations.push({ kind: 'step', ...seen, step: title });
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    });

  for (const { title, run: step, needs, onlyOn } of SCENARIO)
    if (onlyOn === undefined || onlyOn === store) run(title, step, needs);
  for (const own of client.ownSteps) run(own.title, (here) => own.run(here.session, here));
  run(emptyBucketStep.title, emptyBucketStep.run);
}
