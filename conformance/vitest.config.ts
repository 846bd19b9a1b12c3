import { defineConfig } from 'vitest/config';

/** Where CI wants the counts; see .ci/run. */
const report = process.env['LATENTBOX_TEST_REPORT'];

export default defineConfig({
  test: {
    include: ['conformance/**/*.conformance.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    globalSetup: ['conformance/support/forget-observations.ts'],
    // Gateways and clients share two cores with each other already.
    fileParallelism: false,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
