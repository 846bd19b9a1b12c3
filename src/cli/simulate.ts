/** `latentbox simulate`: replays a trace through the cache and compares ways to serve it. */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CONFIGURATIONS, type ConfigurationName } from '../simulate/replay/configuration.js';
import { PUBLISHED_LATENCIES } from '../simulate/replay/latency-model.js';
import { formatTable, htmlPage } from '../simulate/replay/report.js';
import { compare } from '../simulate/replay/simulate.js';
import { TRACE_FORMATS, type TraceFormat } from '../simulate/trace/open-trace.js';
import { ProgressBar } from './progress-bar.js';

interface SimulateOptions {
  readonly trace?: string;
  readonly format?: TraceFormat;
  readonly requests: number;
  readonly seed: number;
  readonly cacheShare: readonly number[];
  readonly config: readonly ConfigurationName[];
  readonly decodeMs: number;
  readonly fetchMs: number;
  readonly generationMs: number;
  readonly hitMs: number;
  readonly jobs: number;
  readonly json?: true;
  readonly html?: string;
}

const DEFAULT_REQUESTS = 2_000_000;
const DEFAULT_SHARES = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1];
/** Points of each curve over time. */
const WINDOWS = 100;

export function simulateCommand(): Command {
  const { decodeMs, fetchMs, generationMs, hitMs } = PUBLISHED_LATENCIES;
  return new Command('simulate')
    .description("Replay a trace through the gateway's own cache and compare ways to serve it.")
    .option('--trace <file>', 'requests to replay (default: a synthetic trace like the published workload)')
    .addOption(new Option('--format <format>', 'format of the trace file').choices([...TRACE_FORMATS]))
    .option('--requests <n>', 'length of the synthetic trace', wholeNumber, DEFAULT_REQUESTS)
    .option('--seed <n>', 'seed of the synthetic trace', seedNumber, 1)
    .option('--cache-share <list>', 'cache sizes, as shares of the PNG bytes of all objects', shares, DEFAULT_SHARES)
    .option('--config <list>', `configurations to compare: ${CONFIGURATIONS.join(', ')}`, configurations, [
      ...CONFIGURATIONS,
    ])
    .option('--decode-ms <ms>', 'mean time of a decode', milliseconds, decodeMs)
    .option('--fetch-ms <ms>', 'mean time of a fetch from the store', milliseconds, fetchMs)
    .option('--generation-ms <ms>', 'mean time to generate an image anew', milliseconds, generationMs)
    .option('--hit-ms <ms>', 'time of an answer from memory, part of every answer', milliseconds, hitMs)
    .option('--jobs <n>', 'simulations at a time', wholeNumber, availableParallelism())
    .option('--json', 'one JSON document on stdout: an array of rows')
    .option('--html <file>', 'also write a page with plots')
    .addHelpText(
      'after',
      `
Rows: static is the published scheme at a fixed alpha, adaptive-published the same with its rule for alpha, adaptive
what the gateway does by default. alpha is the mean over all requests where it moves. docs/evaluation.md has results.

Examples:
  latentbox simulate
  latentbox simulate --requests 10000000 --seed 7 --cache-share 0.01,0.05 --html cache.html
  latentbox simulate --trace access.log --format s3 --json
  latentbox simulate --config adaptive,static --decode-ms 120`,
    )
    .action(simulate);
}

async function simulate(options: SimulateOptions): Promise<void> {
  if (options.trace !== undefined && options.format === undefined)
    throw new InvalidArgumentError(`--trace needs --format: ${TRACE_FORMATS.join(', ')}`);
  const { requests, seed, decodeMs, fetchMs, generationMs, hitMs } = options;
  const bar = new ProgressBar(process.stderr);
  try {
    const { replays, page } = await compare({
      trace:
        options.trace === undefined
          ? { requests, seed }
          : { file: options.trace, ...(options.format && { format: options.format }) },
      cacheShares: options.cacheShare,
      configs: options.config,
      latencies: { decodeMs, fetchMs, generationMs, hitMs, phases: [] },
      windows: WINDOWS,
      jobs: options.jobs,
      onProgress: (done, total, note) => bar.update({ done, note, ...(total !== undefined && { total }) }),
    });
    bar.end();
    if (options.html !== undefined) await writeFile(options.html, htmlPage(replays, page));
    const rows = replays.map(({ row }) => row);
    if (options.json) {
      process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
      return;
    }
    const seconds = replays.reduce((sum, { requestsPerSecond }) => sum + page.requests / requestsPerSecond, 0);
    const speed = (replays.length * page.requests) / seconds / 1e6;
    process.stdout.write(
      `${page.trace}\n${formatTable(rows)}${speed.toFixed(2)} million requests a second and core, ${seconds.toFixed(1)} s of replay\n`,
    );
  } finally {
    bar.end();
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= 1))
    throw new InvalidArgumentError('expected a whole number of at least 1');
  return value;
}

function seedNumber(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= 0 && value < 2 ** 32))
    throw new InvalidArgumentError('expected a whole number from 0 to 4,294,967,295');
  return value;
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1e6)) throw new InvalidArgumentError('expected milliseconds, from 0 to 1,000,000');
  return value;
}

function shares(text: string): number[] {
  return text.split(',').map((part) => {
    const value = Number(part);
    if (!(value > 0 && value <= 1))
      throw new InvalidArgumentError('expected shares over 0, at most 1, such as 0.001,0.01');
    return value;
  });
}

function configurations(text: string): ConfigurationName[] {
  return text.split(',').map((part) => {
    const name = CONFIGURATIONS.find((known) => known === part.trim());
    if (name === undefined) throw new InvalidArgumentError(`expected some of ${CONFIGURATIONS.join(', ')}`);
    return name;
  });
}
