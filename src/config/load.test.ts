import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { developmentCredentials } from './development-credentials.js';
import { environmentName, scalarPaths, configJsonSchema } from './environment.js';
import { ConfigError, loadConfig, stateDirectory, type ConfigFault, type CommandLineOverride } from './load.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latentbox-config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function load(
  yaml: string | undefined,
  environment: Record<string, string> = {},
  commandLine: CommandLineOverride[] = [],
) {
  const file = join(directory, 'gateway.yaml');
  if (yaml !== undefined) await writeFile(file, yaml);
  return loadConfig({ ...(yaml === undefined ? {} : { file }), environment, commandLine });
}

async function faultsOf(promise: Promise<unknown>): Promise<readonly ConfigFault[]> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${String(error)}`);
  return error.faults;
}

describe('loadConfig', () => {
  it('has the documented defaults without a file', async () => {
    const config = await load(undefined);
    expect(config.s3).toMatchObject({ host: '127.0.0.1', port: 9000, region: 'us-east-1', domains: [] });
    expect(config.admin.port).toBe(9001);
    expect(config.store.type).toBe('filesystem');
    expect(config.cache).toMatchObject({ alpha: 'auto', policy: 'adaptive', tail: 0.1, window: 'auto' });
    expect(stateDirectory(config)).toMatch(/data\/\.latentbox$/);
  });

  it('lets the environment override the file and the command line override both', async () => {
    const yaml = 's3: { port: 1 }\nadmin: { port: 2 }\nlog: { level: warn }\n';
    const config = await load(yaml, { LATENTBOX_S3_PORT: '3', LATENTBOX_ADMIN_PORT: '4' }, [
      { option: '--s3-port', path: ['s3', 'port'], value: 5 },
    ]);
    expect([config.s3.port, config.admin.port, config.log.level]).toEqual([5, 4, 'warn']);
  });

  it("takes relative paths from the file's folder", async () => {
    const config = await load('store: { type: filesystem, path: ./objects }\nmodels: { path: vaes }\n');
    expect(config.store).toEqual({ type: 'filesystem', path: join(directory, 'objects') });
    expect(config.models.path).toEqual([join(directory, 'vaes')]);
  });

  it('reports every fault at once, each with its line and key', async () => {
    const faults = await faultsOf(
      load('s3:\n  port: 99999\n  prot: 1\ncache:\n  bytes: lots\npolicies:\n  - match: "a/*"\n    put: encrypt\n'),
    );
    expect(faults.map(({ where, key }) => [where.split(':').at(-1), key])).toEqual(
      expect.arrayContaining([
        ['2', 's3.port'],
        ['3', 's3.prot'],
        ['5', 'cache.bytes'],
        ['8', 'policies.0.put'],
      ]),
    );
    expect(faults).toHaveLength(4);
    expect(faults.find((fault) => fault.key === 'cache.bytes')?.problem).toContain('got "lots"');
  });

  it('names the environment variable or the option that holds the wrong value', async () => {
    expect((await faultsOf(load(undefined, { LATENTBOX_S3_PORT: 'http' })))[0]).toMatchObject({
      where: 'LATENTBOX_S3_PORT',
      key: 's3.port',
    });
    expect(
      (await faultsOf(load(undefined, {}, [{ option: '--s3-port', path: ['s3', 'port'], value: -1 }])))[0]?.where,
    ).toBe('--s3-port');
  });

  it('never shows a secret in a fault', async () => {
    const faults = await faultsOf(load('credentials:\n  - { name: a, accessKeyId: abc, secretAccessKey: hunter2 }\n'));
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  it('reports a YAML syntax error with its line, and a missing file', async () => {
    expect((await faultsOf(load('s3: {\nport: [\n')))[0]?.where).toMatch(/:\d+$/);
    expect(
      (await faultsOf(loadConfig({ file: join(directory, 'absent.yaml'), environment: {}, commandLine: [] })))[0]
        ?.problem,
    ).toContain('cannot be read');
  });

  it('reads sizes as bytes, units and shares of memory', async () => {
    expect((await load('cache: { bytes: 2GiB }')).cache.bytes).toBe(2 * 2 ** 30);
    expect((await load('cache: { bytes: 1.5 MB }')).cache.bytes).toBe(1_500_000);
    expect((await load('cache: { bytes: 0 }')).cache.bytes).toBe(0);
  });

  it('puts lists of the command line in front of the file’s where they say so', async () => {
    const option = { option: '--encode', path: ['policies'], value: [{ match: 'a/*', put: 'encode' }], prepend: true };
    const matches = async (yaml: string) => (await load(yaml, {}, [option])).policies.map(({ match }) => match);
    expect(await matches('policies: [{ match: b/*, put: verbatim }]')).toEqual(['a/*', 'b/*']);
    expect(await matches('log: {}')).toEqual(['a/*']);
  });

  it('is frozen', async () => {
    const config = await load(undefined);
    expect(() => Object.assign(config.s3, { port: 1 })).toThrow(TypeError);
  });
});

describe('environmentName', () => {
  it('gives each scalar key a variable of its own', () => {
    const names = new Set(scalarPaths(configJsonSchema()).map((path) => environmentName(path)));
    expect(names).toContain('LATENTBOX_CACHE_PROMOTION_HITS');
    expect(names).toContain('LATENTBOX_STORE_ENDPOINT');
    expect(names).toContain('LATENTBOX_CACHE_BYTES');
  });
});

describe('developmentCredentials', () => {
  it('makes a key once, keeps it with mode 0600 and gives the same after a restart', async () => {
    const state = join(directory, 'state');
    const first = await developmentCredentials(state);
    expect(await developmentCredentials(state)).toEqual(first);
    expect((await stat(first.file)).mode & 0o777).toBe(0o600);
    expect(first.secretAccessKey.length).toBeGreaterThanOrEqual(40);
  });
});
