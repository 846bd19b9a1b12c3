import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { metricsPage } from './metrics-page.js';

it('docs/metrics.md is what the code says (npm run docs)', async () => {
  expect(await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8')).toBe(await metricsPage());
});
