import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { configurationPage, configurationSchemaFile } from './reference.js';

const root = new URL('../../', import.meta.url);

describe('the configuration reference', () => {
  it('is what the code says (npm run docs)', async () => {
    expect(await readFile(new URL('docs/configuration.md', root), 'utf8')).toBe(configurationPage());
  });

  it('has a JSON Schema for editors that is what the code says (npm run docs)', async () => {
    expect(await readFile(new URL('config/latentbox.schema.json', root), 'utf8')).toBe(configurationSchemaFile());
  });
});
