// Writes the reference pages that are made from the code; tests fail when they are stale.
import { writeFile } from 'node:fs/promises';
import { metricsPage } from '../dist/src/admin/metrics-page.js';
import { configurationPage, configurationSchemaFile } from '../dist/src/config/reference.js';

const root = new URL('../', import.meta.url);
await writeFile(new URL('docs/configuration.md', root), configurationPage());
await writeFile(new URL('config/latentbox.schema.json', root), configurationSchemaFile());
await writeFile(new URL('docs/metrics.md', root), await metricsPage());
