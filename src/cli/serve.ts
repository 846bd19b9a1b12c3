/** `latentbox serve`: loads the configuration, starts the gateway, stops it on a signal. */
import { Command, InvalidArgumentError } from 'commander';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { Gateway } from '../gateway.js';
import type { AccessKey } from '../config/development-credentials.js';
import { ConfigError, loadConfig, type CommandLineOverride } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { EXIT } from './exit-codes.js';
import { removeReadyFile, writeReadyFile } from './ready-file.js';

interface ServeOptions {
  readonly config?: string;
  readonly data?: string;
  readonly s3Port?: number;
  readonly adminPort?: number;
  readonly models?: readonly string[];
  readonly encode?: readonly string[];
  readonly readyFile?: string;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'Serve S3. Without a configuration: S3 on 127.0.0.1:9000, admin on 127.0.0.1:9001, objects under ./data.',
    )
    .option('--config <file>', 'configuration (YAML), see docs/configuration.md')
    .option('--data <dir>', 'folder of the embedded filesystem store')
    .option('--s3-port <port>', 'port of the S3 front; 0 takes a free one', parsePort)
    .option('--admin-port <port>', 'port of /healthz, /readyz and /metrics; 0 takes a free one', parsePort)
    .option(
      '--models <dir>',
      'folder of installed models, beside the bundled one (repeatable)',
      (dir: string, dirs: readonly string[] | undefined) => [...(dirs ?? []), dir],
    )
    .option(
      '--encode <bucket[/prefix]>',
      'keep PNGs that are put there as latents, where that is near enough; see docs/encoding.md (repeatable)',
      (place: string, places: readonly string[] | undefined) => [...(places ?? []), parsePlace(place)],
    )
    .option('--ready-file <file>', 'written as JSON when both ports answer, removed on exit')
    .addHelpText(
      'after',
      `
Examples:
  latentbox serve
  latentbox serve --encode generated --encode images/renders/
  latentbox serve --config config/production.yaml
  latentbox serve --data /srv/images --s3-port 0 --admin-port 0 --ready-file /run/latentbox.json`,
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const config = await loadConfig({
    ...(options.config !== undefined && { file: options.config }),
    environment: process.env,
    commandLine: overrides(options),
  });
  const log = createLog(config);
  const gateway = await Gateway.create(config, { credential: credentialFromEnvironment(process.env), log });
  const stopped = stopOnSignal(gateway, log, options.readyFile);
  try {
    const { endpoint, adminEndpoint } = await gateway.start();
    const { accessKeyId, secretAccessKey } = gateway.firstCredential;
    if (options.readyFile !== undefined) {
      await writeReadyFile(options.readyFile, {
        endpoint,
        adminEndpoint,
        region: config.s3.region,
        accessKeyId,
        secretAccessKey,
        pid: process.pid,
      });
    }
    log.info({ endpoint, adminEndpoint }, `S3 on ${endpoint}, admin on ${adminEndpoint}`);
    if (gateway.developmentCredentialsFile !== undefined) {
      process.stderr.write(
        developmentNotice(endpoint, accessKeyId, secretAccessKey, gateway.developmentCredentialsFile),
      );
    }
  } catch (error) {
    await gateway.close();
    throw error;
  }
  await stopped;
}

/** The first credential; see docs/configuration.md. */
function credentialFromEnvironment(environment: NodeJS.ProcessEnv): AccessKey | undefined {
  const accessKeyId = environment['LATENTBOX_ACCESS_KEY_ID'];
  const secretAccessKey = environment['LATENTBOX_SECRET_ACCESS_KEY'];
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (!accessKeyId || !secretAccessKey) {
    const missing = accessKeyId ? 'LATENTBOX_SECRET_ACCESS_KEY' : 'LATENTBOX_ACCESS_KEY_ID';
    throw new ConfigError([
      { where: missing, key: '', problem: 'is not set, and its other half is; set both or neither' },
    ]);
  }
  return { accessKeyId, secretAccessKey };
}

function overrides(options: ServeOptions): CommandLineOverride[] {
  const given: CommandLineOverride[] = [];
  if (options.data !== undefined)
    given.push({ option: '--data', path: ['store'], value: { type: 'filesystem', path: options.data } });
  if (options.s3Port !== undefined) given.push({ option: '--s3-port', path: ['s3', 'port'], value: options.s3Port });
  if (options.adminPort !== undefined)
    given.push({ option: '--admin-port', path: ['admin', 'port'], value: options.adminPort });
  if (options.encode) {
    const policies = options.encode.map((place) => ({ match: `${place}*`, put: 'encode' }));
    given.push({ option: '--encode', path: ['policies'], value: policies, prepend: true });
  }
  if (options.models) given.push({ option: '--models', path: ['models', 'path'], value: options.models });
  return given;
}

/** `bucket` is every key of it, `bucket/prefix` every key that begins so. */
function parsePlace(text: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^*]*)?$/.test(text))
    throw new InvalidArgumentError('expected BUCKET or BUCKET/PREFIX, without a wildcard');
  return text.includes('/') ? text : `${text}/`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535');
  return port;
}

function createLog(config: Config): Logger {
  const { level, format } = config.log;
  const usePretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY);
  const options = {
    level,
    redact: ['secretAccessKey', '*.secretAccessKey', 'headers.authorization', '*.headers.authorization'],
  };
  return usePretty
    ? pino(options, pretty({ destination: 2, sync: true, ignore: 'pid,hostname' }))
    : pino(options, pino.destination({ dest: 2, sync: false }));
}

/** Resolves when the first signal's graceful stop is done; a second signal exits at once. */
function stopOnSignal(gateway: Gateway, log: Logger, readyFile: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(EXIT.failed);
      stopping = true;
      log.info({ signal }, 'draining; a second signal exits at once');
      const stop = async () => {
        if (readyFile !== undefined) await removeReadyFile(readyFile);
        await gateway.close();
        log.info('stopped');
      };
      stop().then(resolve, reject);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function developmentNotice(endpoint: string, accessKeyId: string, secretAccessKey: string, file: string): string {
  return [
    '',
    `Development credentials (kept in ${file}; configure "credentials" for anything else):`,
    `  export AWS_ENDPOINT_URL=${endpoint}`,
    `  export AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `  export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    '',
    '',
  ].join('\n');
}
