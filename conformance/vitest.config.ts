import { defineConfig } from 'vitest/config';

/** Where CI wants the counts; see .ci/run. */
const report = process.env['LATENTBOX_TEST_REPORT'];
const page = 'conformance/compatibility-page.conformance.ts';
const shared = { testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks' } as const;

export default defineConfig({
  test: {
    // Gateways and clients share two cores with each other already.
    maxWorkers: 2,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        test: {
          ...shared,
          name: 'clients',
          include: ['conformance/**/*.conformance.ts'],
          exclude: [page],
          globalSetup: ['conformance/support/forget-observations.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      // What the others observed: after them.
      { test: { ...shared, name: 'page', include: [page], sequence: { groupOrder: 1 } } },
    ],
  },
});
