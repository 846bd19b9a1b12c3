/** `npm run experiments -- NAME [--requests N] [--seed S]`: one experiment, its table in Markdown on stdout. */
import { parseArgs } from 'node:util';
import { cacheSizes } from './cache-sizes.js';
import { fixedSplits } from './fixed-splits.js';
import type { Experiment } from './laboratory.js';
import { shifts } from './shifts.js';
import { sweeps } from './sweeps.js';

const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  'cache-sizes': cacheSizes,
  'fixed-splits': fixedSplits,
  sweeps,
  shifts,
};
const USAGE_EXIT_CODE = 2;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { requests: { type: 'string', default: '2000000' }, seed: { type: 'string', default: '1' } },
    allowPositionals: true,
  });
  const experiment = EXPERIMENTS[positionals[0] ?? ''];
  const requests = Number(values.requests);
  const seed = Number(values.seed);
  if (experiment === undefined || !(requests >= 1000) || !(seed >= 0)) {
    process.stderr.write(
      `usage: npm run experiments -- ${Object.keys(EXPERIMENTS).join('|')} [--requests N] [--seed S]\n`,
    );
    process.exitCode = USAGE_EXIT_CODE;
    return;
  }
  await experiment({ requests, seed }, (line) => process.stdout.write(`${line}\n`));
}

await main();
