/** `latentbox trace`: what a trace is like, beside the published production workload; and a synthetic one as a file. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { Command } from 'commander';
import { measureCalibration, type Calibration, type CalibrationRow } from '../simulate/trace/calibration.js';
import { openTrace } from '../simulate/trace/open-trace.js';
import type { Trace } from '../simulate/trace/trace.js';
import { ProgressBar, type BarState } from './progress-bar.js';
import { addTraceOptions, traceOptions, type TraceFlags } from './trace-options.js';

interface Flags extends TraceFlags {
  readonly json?: true;
  readonly write?: string;
}

export function traceCommand(): Command {
  return addTraceOptions(
    new Command('trace').description(
      'Measure a trace beside the published production workload: popularity, decay, re-access intervals, sizes, growth.',
    ),
  )
    .option('--write <file>', 'also write the trace as CSV: time,object,image_bytes,latent_bytes')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  latentbox trace --requests 10000000 --seed 7
  latentbox trace --trace access-logs/ --format s3
  latentbox trace --requests 100000 --write trace.csv`,
    )
    .action(async (flags: Flags) => {
      const trace = openTrace(traceOptions(flags));
      if (flags.write !== undefined) await writeCsv(trace, flags.write);
      const bar = new ProgressBar(process.stderr);
      const calibration = await measureCalibration(trace, (done) => bar.update(state(done, trace, 'measuring')));
      bar.end();
      process.stdout.write(flags.json ? `${JSON.stringify(calibration, null, 2)}\n` : table(calibration));
    });
}

function state(done: number, { requests }: Trace, note: string): BarState {
  return { done, note, ...(requests !== undefined && { total: requests }) };
}

async function writeCsv(trace: Trace, file: string): Promise<void> {
  const output = createWriteStream(file);
  const bar = new ProgressBar(process.stderr);
  let written = 0;
  try {
    await once(output, 'open');
    output.write('time,object,image_bytes,latent_bytes\n');
    for await (const { length, times, objects, imageBytes, latentBytes } of trace.batches()) {
      let text = '';
      for (let i = 0; i < length; i++)
        text += `${times[i]?.toFixed(3) ?? ''},${objects[i] ?? ''},${imageBytes[i] ?? ''},${latentBytes[i] ?? ''}\n`;
      if (!output.write(text)) await once(output, 'drain');
      bar.update(state((written += length), trace, 'writing'));
    }
  } finally {
    bar.end();
    output.end();
  }
  await once(output, 'finish');
}

function table({ trace, requests, objects, months, rows, births }: Calibration): string {
  const perMonth = births.map((born) => born.toLocaleString('en')).join(' ');
  return [
    trace,
    `${requests.toLocaleString('en')} requests for ${objects.toLocaleString('en')} images in ${months.toFixed(1)} months`,
    '',
    `${'quantity'.padEnd(52)} ${'published'.padStart(12)} ${'this trace'.padStart(12)}`,
    ...rows.map(
      (row) =>
        `${row.quantity.padEnd(52)} ${figure(row, row.target).padStart(12)} ${figure(row, row.value).padStart(12)}`,
    ),
    '',
    `images born in each month: ${perMonth}`,
    '',
  ].join('\n');
}

function figure({ unit }: CalibrationRow, value: number | undefined): string {
  if (value === undefined) return '-';
  if (unit === 'bytes') return `${(value / 1e6).toFixed(2)} MB`;
  return `${value.toFixed(1)} ${unit}`;
}
