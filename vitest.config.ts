import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{s3-api,codec,src,scripts}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
