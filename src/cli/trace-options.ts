/** The flags that name a trace, shared by the commands that read one. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { TRACE_FORMATS, type TraceFormat, type TraceOptions } from '../simulate/trace/open-trace.js';

export interface TraceFlags {
  readonly trace?: string;
  readonly format?: TraceFormat;
  readonly requests?: number;
  readonly seed?: number;
  readonly latentShare?: number;
  readonly csvColumns?: string;
  readonly sortWindow?: number;
}

const MAX_REQUESTS = 1e9;
const MAX_SEED = 2 ** 32 - 1;

export function addTraceOptions(command: Command): Command {
  return addLogOptions(command)
    .option('--requests <n>', 'requests of the synthetic trace (default: 1,000,000)', whole(1, MAX_REQUESTS))
    .option('--seed <n>', 'seed of the synthetic trace (default: 1)', whole(0, MAX_SEED));
}

/** The flags of those commands for which a synthetic trace makes no sense. */
export function addLogOptions(command: Command): Command {
  return command
    .option('--trace <file>', 'log file, or folder of log files')
    .addOption(new Option('--format <format>', 'what the file is').choices(TRACE_FORMATS))
    .option('--latent-share <share>', "size of a latent over its PNG's where a log does not say (default: 0.2)", share)
    .option('--csv-columns <columns>', 'places in a CSV without names: time-col=1,obj-id-col=2,obj-size-col=3')
    .option('--sort-window <records>', 'log records that may be out of order (default: 65,536)', whole(1, 1e8));
}

export function traceOptions(flags: TraceFlags): TraceOptions {
  const { trace, format, requests, seed, latentShare, csvColumns, sortWindow } = flags;
  if (trace === undefined && format !== undefined) throw new InvalidArgumentError('--format needs --trace FILE');
  if (trace !== undefined && format === undefined)
    throw new InvalidArgumentError(`--trace needs --format ${TRACE_FORMATS.join('|')}`);
  return {
    ...(trace !== undefined && { file: trace }),
    ...(format !== undefined && { format }),
    ...(requests !== undefined && { requests }),
    ...(seed !== undefined && { seed }),
    ...(latentShare !== undefined && { latentShare }),
    ...(csvColumns !== undefined && { csvColumns }),
    ...(sortWindow !== undefined && { sortWindow }),
  };
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll('_', ''));
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
    return value;
  };
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('expected a number over 0, at most 1');
  return value;
}
