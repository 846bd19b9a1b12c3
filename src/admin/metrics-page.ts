/** docs/metrics.md, made from the registry itself. */
import { Metrics } from './metrics.js';

export async function metricsPage(): Promise<string> {
  const metrics = new Metrics();
  metrics.observe({
    cache: () => ({
      capacityBytes: 0,
      alpha: 0,
      imageBytes: 0,
      latentBytes: 0,
      imageEntries: 0,
      latentEntries: 0,
      imageHits: 0,
      latentHits: 0,
      misses: 0,
      promotions: 0,
      imageEvictions: 0,
      latentEvictions: 0,
    }),
    devices: () => [],
    inFlight: () => 0,
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
