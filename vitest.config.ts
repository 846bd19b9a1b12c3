import { defineConfig } from 'vitest/config';

/** Where CI wants the counts; see .ci/run. */
const report = process.env['LATENTBOX_TEST_REPORT'];

export default defineConfig({
  test: {
    include: ['{s3-api,codec,src,bench,scripts}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
