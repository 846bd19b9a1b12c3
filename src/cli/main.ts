#!/usr/bin/env node
/** The `latentbox` command: parses arguments, runs one command, exits with its code. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config/load.js';
import { EXIT } from './exit-codes.js';
import { inspectCommand } from './inspect.js';
import { migrateCommand } from './migrate.js';
import { modelCommand } from './model.js';
import { planCommand } from './plan.js';
import { serveCommand } from './serve.js';
import { verifyCommand } from './verify.js';
import { simulateCommand } from './simulate.js';
import { traceCommand } from './trace.js';
import { packageVersion } from './package-version.js';

const program = new Command('latentbox')
  .description(
    'An S3-compatible gateway that stores AI-generated images as compressed latents and serves them as PNGs.',
  )
  .version(packageVersion())
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done with some objects failed.',
  )
  .addCommand(serveCommand())
  .addCommand(inspectCommand())
  .addCommand(migrateCommand())
  .addCommand(modelCommand())
  .addCommand(verifyCommand())
  .addCommand(simulateCommand())
  .addCommand(planCommand())
  .addCommand(traceCommand());

throwInsteadOfExiting(program);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Commander exits with 1 for wrong usage; a command that was made apart does not inherit the override. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) throwInsteadOfExiting(subcommand);
}

function report(error: unknown): number {
  // Commander has told of its own errors, not of those that an action found in the arguments.
  const told = error instanceof CommanderError && !(error instanceof InvalidArgumentError);
  if (told) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`latentbox: ${message.replaceAll('\n', '\nlatentbox: ')}\n`);
  return error instanceof ConfigError || error instanceof InvalidArgumentError ? EXIT.usage : EXIT.failed;
}
