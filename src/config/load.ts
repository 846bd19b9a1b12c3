/** Reads the configuration once, reports every fault at once with its line, and freezes the result. */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LineCounter, isMap, isNode, isSeq, parseDocument, type Document } from 'yaml';
import { environmentOverrides, type EnvironmentOverride } from './environment.js';
import { configSchema, type Config } from './schema.js';

/** One thing that is wrong with the configuration. */
export interface ConfigFault {
  /** `file.yaml:12`, `LATENTBOX_S3_PORT` or `--s3-port`. */
  readonly where: string;
  readonly key: string;
  readonly problem: string;
}

/** All faults of a configuration; the command line exits with 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: readonly ConfigFault[]) {
    super(
      faults.map((fault) => `${fault.where}: ${fault.key === '' ? '' : `${fault.key}: `}${fault.problem}`).join('\n'),
    );
  }
}

/** A value given on the command line: the strongest source. */
export interface CommandLineOverride {
  readonly option: string;
  readonly path: readonly string[];
  readonly value: unknown;
  /** The value is a list that goes in front of what the other sources give. */
  readonly prepend?: boolean;
}

export interface ConfigSources {
  /** YAML file; absent: defaults only. */
  readonly file?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly commandLine: readonly CommandLineOverride[];
}

/**
 * Defaults < file < environment < command line. Relative paths of the file are taken from the file's folder.
 *
 * @throws ConfigError with every fault
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const lines = new LineCounter();
  const document = sources.file === undefined ? undefined : await readDocument(sources.file, lines);
  const parsed: unknown = document?.toJS() ?? {};
  if (!isRecord(parsed)) {
    throw new ConfigError([
      {
        where: sources.file ?? 'configuration',
        key: '',
        problem: 'expected a map of keys, such as `s3: { port: 9000 }`',
      },
    ]);
  }
  const overrides = [...environmentOverrides(sources.environment).map(fromEnvironment), ...sources.commandLine];
  for (const { path, value, prepend = false } of overrides) {
    const before = prepend ? valueAt(parsed, path) : undefined;
    const list =
      Array.isArray(value) && Array.isArray(before) ? [...(value as unknown[]), ...(before as unknown[])] : value;
    setPath(parsed, path, list);
  }

  const result = configSchema.safeParse(parsed);
  if (!result.success) {
    const faults = result.error.issues.map((issue): ConfigFault => {
      const path = issue.path.map(String);
      const source = overrides.findLast((override) => startsWith(path, override.path));
      const key = issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path;
      const given = valueAt(parsed, path);
      const shown =
        given === undefined || typeof given === 'object' || isSecret(path) ? '' : `got ${JSON.stringify(given)}; `;
      return {
        where: source?.option ?? locate(document, lines, sources.file, key),
        key: key.join('.'),
        problem: `${shown}${describeIssue(issue.message, issue.code)} (see docs/configuration.md)`,
      };
    });
    throw new ConfigError(faults);
  }
  const base = sources.file === undefined ? process.cwd() : dirname(resolve(sources.file));
  return deepFreeze(resolvePaths(result.data, base));
}

/** Folder for caches and development credentials. */
export function stateDirectory(config: Config): string {
  if (config.state.path !== undefined) return config.state.path;
  return join(config.store.type === 'filesystem' ? config.store.path : resolve('./data'), '.latentbox');
}

async function readDocument(file: string, lines: LineCounter): Promise<Document> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError([{ where: file, key: '', problem: `cannot be read: ${(cause as Error).message}` }]);
  }
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => ({
        where: `${file}:${lines.linePos(error.pos[0]).line}`,
        key: '',
        problem: error.message.split('\n')[0] ?? '',
      })),
    );
  }
  return document;
}

function fromEnvironment(override: EnvironmentOverride): CommandLineOverride {
  return { option: override.name, path: override.path, value: override.value };
}

/** `file:line` of the deepest part of the path that the file holds. */
function locate(
  document: Document | undefined,
  lines: LineCounter,
  file: string | undefined,
  path: readonly string[],
): string {
  if (!document || file === undefined) return 'configuration';
  let offset = 0;
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isNode(item.key) && String(item.key) === part);
      if (!pair) break;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (isNode(node) && node.range) offset = node.range[0];
    } else break;
  }
  return `${file}:${lines.linePos(offset).line}`;
}

function describeIssue(message: string, code: string | undefined): string {
  if (code === 'unrecognized_keys') return 'is not a configuration key';
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function isSecret(path: readonly string[]): boolean {
  return /secret|token|password/i.test(path.at(-1) ?? '');
}

function resolvePaths(config: Config, base: string): Config {
  const from = (path: string) => resolve(base, path);
  const { path: modelPath, ...models } = config.models;
  return {
    ...config,
    s3: config.s3.tls
      ? { ...config.s3, tls: { certificate: from(config.s3.tls.certificate), key: from(config.s3.tls.key) } }
      : config.s3,
    store: config.store.type === 'filesystem' ? { ...config.store, path: from(config.store.path) } : config.store,
    state: config.state.path === undefined ? {} : { path: from(config.state.path) },
    models: modelPath === undefined ? models : { ...models, path: [modelPath].flat().map(from) },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function setPath(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const child = target[head];
  const next: Record<string, unknown> = isRecord(child) ? child : {};
  target[head] = next;
  setPath(next, rest, value);
}

function valueAt(target: unknown, path: readonly string[]): unknown {
  let node = target;
  for (const part of path) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = (node as Record<string, unknown>)[part];
  }
  return node;
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => path[index] === part);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
