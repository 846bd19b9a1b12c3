/** A gateway over one store, with an nginx in front and a credential for each client, so that its log tells them apart. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Access } from '../clients/client.js';
import { AccessLog, type LoggedRequest } from './access-log.js';
import { filesystemBackend, versitygwBackend, type Backend } from './backends.js';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { GatewayProcess } from './gateway-process.js';
import { startNginx, type Nginx } from './nginx.js';
import type { RouteName, StoreName } from './observations.js';
import { freePort } from './ports.js';

const SECRET = 'a-secret-of-the-conformance-run';

export class Stack {
  private constructor(
    readonly store: StoreName,
    readonly gateway: GatewayProcess,
    readonly log: AccessLog,
    private readonly backend: Backend,
    /** Where clients go. */
    private readonly endpoint: string,
    private readonly nginx: Nginx | undefined,
    private readonly directory: string,
  ) {}

  /** @returns the server that is not installed here, or undefined */
  static async missing(store: StoreName, route: RouteName): Promise<string | undefined> {
    if (store === 's3' && !(await findProgram('versitygw')))
      return 'versitygw (go install github.com/versity/versitygw/cmd/versitygw)';
    return route === 'nginx' && !(await findProgram('nginx')) ? 'nginx' : undefined;
  }

  /** @param clients each gets a credential of its name */
  static async start(store: StoreName, route: RouteName, clients: readonly string[]): Promise<Stack> {
    const directory = await mkdtemp(join(tmpdir(), 'latentbox-stack-'));
    const backend = store === 's3' ? await versitygwBackend() : await filesystemBackend();
    if (!backend) throw new Error('versitygw is missing');
    const proxyPort = route === 'nginx' ? await freePort() : undefined;
    const externalUrls = proxyPort === undefined ? [] : [`https://localhost:${proxyPort}`];
    const config = join(directory, 'latentbox.yaml');
    const credentials = clients.map((name) => ({
      name,
      accessKeyId: accessKeyOf(name),
      secretAccessKey: SECRET,
      allow: [{ actions: ['*'], resources: ['*'] }],
    }));
    await writeFile(config, stringify({ s3: { externalUrls }, credentials }));
    const gateway = await GatewayProcess.start({
      args: [...backend.args, '--config', config],
      environment: { ...backend.environment, LATENTBOX_LOG_LEVEL: 'debug', LATENTBOX_LOG_FORMAT: 'json' },
    });
    const upstream = gateway.ready.endpoint;
    const nginx = proxyPort === undefined ? undefined : await startNginx({ port: proxyPort, upstream });
    const log = new AccessLog(gateway.errorOutput, upstream);
    return new Stack(store, gateway, log, backend, externalUrls[0] ?? upstream, nginx, directory);
  }

  async access(client: string): Promise<Access> {
    return {
      endpoint: this.endpoint,
      region: this.gateway.ready.region,
      accessKeyId: accessKeyOf(client),
      secretAccessKey: SECRET,
      home: await mkdtemp(join(this.directory, 'home-')),
      ...(this.nginx && { certificateAuthority: this.nginx.certificateAuthority }),
    };
  }

  /** What a client asked for in `action`: by its credential, or else by the name that it gives itself. */
  async requestsOf(
    client: string,
    action: () => Promise<unknown>,
    userAgent?: RegExp,
  ): Promise<readonly LoggedRequest[]> {
    const requests = await this.log.during(action);
    return requests.filter(
      (request) => request.credentialName === client || (userAgent?.test(request.userAgent ?? '') ?? false),
    );
  }

  async close(): Promise<void> {
    await this.nginx?.close();
    await this.gateway.stop();
    await this.backend.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function accessKeyOf(client: string): string {
  return `key-of-${client}`;
}
