/** `npm run bench -- NAME [--json]`: runs one benchmark and prints its rows as a table, or one JSON object a line. */
import { parseArgs } from 'node:util';
import { benchBookkeeping } from './cache/bookkeeping.js';
import { benchPcodec } from './codec/pcodec.js';
import { benchPng } from './codec/png.js';
import { benchPredictive } from './codec/predictive.js';
import { benchDeviceBusy } from './decode/device-busy.js';
import { benchMemorySoak } from './decode/memory-soak.js';
import { benchOverhead } from './decode/overhead.js';
import { benchPythonPeer } from './decode/python-peer.js';
import { benchFidelity } from './fidelity/fidelity.js';
import { benchProviders } from './fidelity/providers.js';
import { benchRecovery } from './fidelity/recovery.js';
import { benchReduction } from './fidelity/reduction.js';
import { benchStages } from './fidelity/stages.js';
import { benchWorkers } from './migrate/workers.js';
import { benchSlowClients } from './s3/slow-clients.js';
import type { Bench, BenchRow } from './row.js';

const BENCHES: Readonly<Record<string, readonly Bench[]>> = {
  cache: [benchBookkeeping],
  codec: [benchPcodec, benchPredictive, benchPng],
  decode: [benchDeviceBusy, benchOverhead, benchPythonPeer],
  'decode-soak': [benchMemorySoak],
  'slow-clients': [benchSlowClients],
  encode: [benchStages],
  fidelity: [benchFidelity, benchReduction, benchProviders],
  recovery: [benchRecovery],
  'migrate-workers': [benchWorkers],
};

const USAGE_EXIT_CODE = 2;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
  const benches = BENCHES[positionals[0] ?? ''];
  if (benches === undefined) {
    process.stderr.write(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--json]\n`);
    process.exitCode = USAGE_EXIT_CODE;
    return;
  }
  for (const bench of benches) {
    for await (const row of bench())
      process.stdout.write(values.json === true ? `${JSON.stringify(row)}\n` : line(row));
  }
}

function line({ case: name, ours, peer, unit, ratio, versus }: BenchRow): string {
  const figures = `${round(ours)} ${unit} against ${round(peer)} (${versus})`;
  return `${ratio.toFixed(2).padStart(8)}  ${name.padEnd(72)} ${figures}\n`;
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

await main();
