/** docs/metrics.md, made from the registry itself. */
import { DualFormatCache } from '../cache/dual-format-cache.js';
import { cachePreset } from '../cache/presets.js';
import { Metrics } from './metrics.js';

const NO_CACHE = new DualFormatCache(
  cachePreset('adaptive', { capacityBytes: 0, alpha: 'auto', entryOverheadBytes: 0 }),
);

export async function metricsPage(): Promise<string> {
  const metrics = new Metrics();
  metrics.observe({
    cache: () => NO_CACHE.statistics(),
    refetch: () => ({ fetched: 0, dropped: 0, failed: 0 }),
    devices: () => [],
    inFlight: () => 0,
    conversions: () => ({ waiting: 0, running: 0 }),
    bytesInFlight: () => 0,
  });
  const described = (await metrics.registry.getMetricsAsJSON())
    .filter(({ name }) => !PROCESS_METRICS.test(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = described.map(({ name, help, type }) => `| \`${name}\` | ${String(type)} | ${help} |`);
  return `${[
    '# Metrics',
    '',
    '<!-- Generated from src/admin/metrics.ts by `npm run docs`; do not edit. -->',
    '',
    'Prometheus text on `/metrics` of the admin port. Beside these there are the usual process and Node.js metrics, `latentbox_process_*` and `latentbox_nodejs_*`.',
    '',
    '| metric | type | meaning |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n')}\n`;
}

const PROCESS_METRICS = /^latentbox_(process|nodejs)_/;
