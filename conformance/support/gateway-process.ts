/** The real program as a child process, as a supervisor would run it. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const START_TIMEOUT_MS = 60_000;

const readySchema = z.object({
  endpoint: z.url(),
  adminEndpoint: z.url(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  pid: z.number(),
});

export interface GatewayOptions {
  /** Arguments of `serve` beside the ports and the ready file. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class GatewayProcess {
  private constructor(
    readonly child: ChildProcessByStdio<null, Readable, Readable>,
    readonly ready: z.output<typeof readySchema>,
    private readonly directory: string,
    private readonly output: () => string,
  ) {}

  /** Resolves when both ports answer; rejects with what the program printed where it ended before that. */
  static async start({ args, environment = {} }: GatewayOptions): Promise<GatewayProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'latentbox-gateway-'));
    const readyFile = join(directory, 'ready.json');
    const program = join(repository, 'dist/src/cli/main.js');
    const child = spawn(
      process.execPath,
      [program, 'serve', '--s3-port', '0', '--admin-port', '0', '--ready-file', readyFile, ...args],
      {
        cwd: directory,
        env: { PATH: process.env['PATH'] ?? '', HOME: directory, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline && child.exitCode === null) {
      const text = await readFile(readyFile, 'utf8').catch(() => undefined);
      if (text !== undefined)
        return new GatewayProcess(child, readySchema.parse(JSON.parse(text)), directory, () => output);
      await delay(25);
    }
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
    throw new Error(`the gateway did not start (exit code ${String(child.exitCode)}):\n${output}`);
  }

  get log(): string {
    return this.output();
  }

  /** Where the gateway logs to. */
  get errorOutput(): Readable {
    return this.child.stderr;
  }

  /** Environment for aws cli and SDKs. */
  get clientEnvironment(): Record<string, string> {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.ready;
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.directory,
      AWS_ENDPOINT_URL: endpoint,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /** SIGTERM and the exit code; or SIGKILL. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill(signal);
      await exited;
    }
    await rm(this.directory, { recursive: true, force: true });
    return this.child.exitCode;
  }
}
