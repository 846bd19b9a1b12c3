/** `latentbox verify`: reads a bucket back and proves that it decodes to what was recorded. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { verificationLines } from '../migrate/describe.js';
import type { Location } from '../migrate/location.js';
import { verifyLocation } from '../migrate/verify-location.js';
import { maxContainerBytes, openWorkshop } from '../migrate/workshop.js';
import { collect, location } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { ProgressBar } from './progress-bar.js';

interface VerifyOptions {
  readonly config?: string;
  readonly data?: string;
  readonly models?: readonly string[];
  readonly json?: true;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Read a bucket back and prove that every latent decodes to what was recorded.')
    .argument('<bucket[/prefix]>', 'what to read', location)
    .option('--config <file>', 'configuration that names the store and the models')
    .option('--data <dir>', 'folder of the embedded filesystem store; stop the gateway that serves it first')
    .option('--models <dir>', 'folder of installed models, beside the bundled one (repeatable)', collect)
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  latentbox verify images
  latentbox verify images/renders/ --config gateway.yaml --json`,
    )
    .action(verify);
}

async function verify(place: Location, { config: file, data, models, json }: VerifyOptions): Promise<void> {
  const config = await loadConfig({
    ...(file !== undefined && { file }),
    environment: process.env,
    commandLine: [
      ...(data === undefined ? [] : [{ option: '--data', path: ['store'], value: { type: 'filesystem', path: data } }]),
      ...(models ? [{ option: '--models', path: ['models', 'path'], value: models }] : []),
    ],
  });
  const concurrency = Math.max(2, availableParallelism());
  const workshop = await openWorkshop(config, concurrency);
  const bar = new ProgressBar(process.stderr);
  try {
    const report = await verifyLocation(
      workshop,
      place,
      {
        concurrency,
        maxContainerBytes: maxContainerBytes(config),
        onVerified: (done) => bar.update({ done, note: 'verified' }),
      },
      new AbortController().signal,
    );
    bar.end();
    process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : verificationLines(report));
    if (report.failed.length > 0) process.exitCode = EXIT.partial;
  } finally {
    bar.end();
    await workshop.close();
  }
}
