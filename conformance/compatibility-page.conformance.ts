/** docs/s3-compatibility.md is what this very run observed. Runs after all other files (conformance/vitest.config.ts). */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ROUTES } from '../s3-api/routes.js';
import { CLIENTS } from './clients/index.js';
import { emptyBucketStep, SCENARIO } from './scenario/index.js';
import { compatibilityPage } from './support/compatibility-page.js';
import { readObservations } from './support/observations.js';

const page = fileURLToPath(new URL('../docs/s3-compatibility.md', import.meta.url));
const PASSES = ['filesystem direct', 's3 direct', 'filesystem nginx'];

it('is the page that this run writes (npm run conformance -- --update)', async ({ skip }) => {
  const observations = await readObservations();
  const seen = new Set(observations.map(({ client, store, route }) => `${client} ${store} ${route}`));
  const missing = CLIENTS.flatMap(({ name }) => PASSES.map((pass) => `${name} ${pass}`)).filter(
    (way) => !seen.has(way),
  );
  // Part of a run, or a machine without all clients, says nothing about the page; CI has them all.
  if (process.env['CI'] === undefined && missing.length > 0) skip(`not in this run: ${missing.join(', ')}`);
  expect(missing).toEqual([]);
  const steps = [...SCENARIO, emptyBucketStep].map(({ title }) => title);
  const names = [...new Set(ROUTES.map(({ name }) => name)), 'Preflight'];
  await expect(compatibilityPage({ clients: CLIENTS, operations: names, steps, observations })).toMatchFileSnapshot(
    page,
  );
});
