/** `latentbox inspect`: what a file or a stored object is. */
import { readFile, stat } from 'node:fs/promises';
import { Command } from 'commander';
import { CodecError } from '../../codec/index.js';
import { S3Error } from '../../s3-api/index.js';
import { openBackingStore } from '../backing-store.js';
import { loadConfig } from '../config/load.js';
import { describe, formatDescription, type Description } from '../inspect/describe.js';
import { readAll } from '../latents/read-all.js';

/** Larger objects are verbatim files of no interest here. */
const MAX_OBJECT_BYTES = 1 << 30;
const READ_TIMEOUT_MS = 60_000;
const URI = /^s3:\/\/([^/]+)\/(.+)$/s;

interface InspectOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json?: true;
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Say what an object is: model, shape, sizes, fidelity, metadata chunks.')
    .argument('<object>', 'a file, or s3://BUCKET/KEY in the backing store of the configuration')
    .option('--config <file>', 'configuration that names the store (default: ./data)')
    .option('--data <dir>', 'folder of the embedded filesystem store')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  latentbox inspect samples/cat.npy
  latentbox inspect s3://images/cat.png --data /srv/images
  latentbox inspect s3://images/cat.png --config gateway.yaml --json`,
    )
    .action(inspect);
}

async function inspect(name: string, options: InspectOptions): Promise<void> {
  const uri = URI.exec(name);
  let description: Description;
  try {
    description = uri ? await inspectStored(uri[1] ?? '', uri[2] ?? '', options) : describe(await readBounded(name));
  } catch (error) {
    if (error instanceof CodecError) throw new Error(`${name} is damaged: ${error.message}`, { cause: error });
    if (error instanceof S3Error) throw new Error(`${name}: ${error.code}: ${error.message}`, { cause: error });
    throw error;
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ object: name, ...description }, null, 2)}\n`
      : formatDescription(name, description),
  );
}

async function readBounded(file: string): Promise<Uint8Array> {
  let size: number;
  try {
    ({ size } = await stat(file));
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (size > MAX_OBJECT_BYTES) throw new Error(`${file} has ${size} bytes; at most ${MAX_OBJECT_BYTES} are looked at`);
  return readFile(file);
}

async function inspectStored(
  bucket: string,
  key: string,
  { config: file, data }: InspectOptions,
): Promise<Description> {
  const config = await loadConfig({
    ...(file !== undefined && { file }),
    environment: process.env,
    commandLine:
      data === undefined ? [] : [{ option: '--data', path: ['store'], value: { type: 'filesystem', path: data } }],
  });
  const store = await openBackingStore(config);
  try {
    const content = await store.getObject(bucket, key, {}, AbortSignal.timeout(READ_TIMEOUT_MS));
    return describe(await readAll(content, MAX_OBJECT_BYTES), content.info);
  } finally {
    await store.close();
  }
}
