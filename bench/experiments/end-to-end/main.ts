/** `npm run end-to-end -- [--requests N] …`: prints the end-to-end table beside the published one; see docs/evaluation.md. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { CONFIGURATIONS, PUBLISHED, PUBLISHED_ADAPTIVE_SHARES } from './configurations.js';
import { endToEnd, type EndToEndRow } from './end-to-end.js';

const USAGE = `usage: npm run end-to-end -- [options]
  --requests N        requests replayed: the last ones of the trace (default 2000)
  --trace-requests N  length of the trace (default: as many as are replayed)
  --seed N            of the trace, the arrivals and the store's delays (default 1)
  --rate N            requests a second, Poisson arrivals (default 10)
  --cache-share X     cache size over the PNG bytes of all objects (default 0.1)
  --side N            pixels of a picture's side (default 96)
  --config LIST       of ${CONFIGURATIONS.join(',')}
  --closed            one request at a time, no delay of the store: for the hit rates alone
  --json              one JSON object a configuration
`;
const USAGE_EXIT_CODE = 2;

const optionsSchema = z.object({
  requests: z.coerce.number().int().min(10).max(1e6).default(2000),
  'trace-requests': z.coerce.number().int().min(10).max(1e8).optional(),
  seed: z.coerce.number().int().min(0).default(1),
  rate: z.coerce.number().positive().max(10_000).default(10),
  'cache-share': z.coerce.number().positive().max(1).default(0.1),
  side: z.coerce.number().int().min(64).max(2048).multipleOf(8).default(96),
  config: z
    .string()
    .default(CONFIGURATIONS.join(','))
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(CONFIGURATIONS))),
  closed: z.boolean().default(false),
  json: z.boolean().default(false),
});

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      requests: text,
      'trace-requests': text,
      seed: text,
      rate: text,
      'cache-share': text,
      side: text,
      config: text,
      closed: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const {
    rate,
    json,
    config,
    closed,
    'cache-share': cacheShare,
    'trace-requests': traceRequests,
    ...rest
  } = optionsSchema.parse(values);
  const rows: EndToEndRow[] = [];
  const onProgress = (note: string, done: number, total: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${note} ${done} of ${total}`);
  };
  const options = {
    ...rest,
    traceRequests: Math.max(traceRequests ?? 0, rest.requests),
    requestsPerSecond: closed ? undefined : rate,
    cacheShare,
    configurations: config,
    onProgress,
  };
  for await (const row of endToEnd(options)) {
    rows.push(row);
    if (json) process.stdout.write(`${JSON.stringify(row)}\n`);
    else process.stdout.write(line(row));
  }
  if (!json)
    process.stdout.write(`\n${order(rows)}\n${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores\n`);
}

function line(row: EndToEndRow): string {
  const { config, imageHit, latentHit, miss, simulated, offPoints } = row;
  const published = PUBLISHED[config];
  const figures = (of: { meanMs: number; p50Ms: number; p95Ms: number; p99Ms: number }): string =>
    [of.meanMs, of.p50Ms, of.p95Ms, of.p99Ms].map((ms) => ms.toFixed(1).padStart(7)).join(' ');
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(7);
  const shares = (of: { imageHit: number; latentHit: number; miss: number }): string =>
    `image ${percent(of.imageHit)}  latent ${percent(of.latentHit)}  miss ${percent(of.miss)}`;
  const stages = Object.entries(row.stageMs).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  const of = PUBLISHED_ADAPTIVE_SHARES;
  const publishedShares =
    config === 'adaptive'
      ? `  image ${percent(of.imageHit)}  latent ${percent(1 - of.imageHit - of.miss)}  miss ${percent(of.miss)}`
      : '';
  return [
    `${config.padEnd(12)}        mean     P50     P95     P99 ms`,
    `  this machine   ${figures(row)}  ${shares({ imageHit, latentHit, miss })}`,
    `  simulated      ${' '.repeat(31)}  ${shares(simulated)}  (${offPoints.toFixed(2)} points off at most)`,
    `  published      ${figures(published)}${publishedShares}`,
    `  stages, mean ms: ${stages.join(', ') || 'none'}; ${row.failed} failed; client late by ${row.p99SendLagMs.toFixed(1)} ms at P99`,
    '',
  ].join('\n');
}

function order(rows: readonly EndToEndRow[]): string {
  const names = (of: (row: EndToEndRow) => number): string =>
    rows
      .toSorted((a, b) => of(a) - of(b))
      .map(({ config }) => config)
      .join(' < ');
  const here = names(({ meanMs }) => meanMs);
  const published = names(({ config }) => PUBLISHED[config].meanMs);
  return here === published
    ? `order by mean as published: ${here}`
    : `order by mean differs.\n  here:      ${here}\n  published: ${published}`;
}

try {
  await main();
} catch (error) {
  const usage = error instanceof z.ZodError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(
    usage ? `${error.message}\n${USAGE}` : `${error instanceof Error ? (error.stack ?? '') : String(error)}\n`,
  );
  process.exitCode = usage ? USAGE_EXIT_CODE : 1;
}
