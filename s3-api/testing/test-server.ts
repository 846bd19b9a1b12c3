/** A real server on loopback over the in-memory store, with an SDK client and a raw socket to talk to it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { AccessRecord } from '../http/access-record.js';
import { createS3Api, type S3ApiOptions } from '../s3-api.js';
import { staticCredentials, type AccessRule } from '../auth/credentials.js';
import { MemoryStore } from './memory-store.js';

export const ACCESS_KEY_ID = 'AKIATESTTESTTEST';
export const SECRET_ACCESS_KEY = 'secret-of-the-tests';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly store: MemoryStore;
  readonly s3: S3Client;
  readonly records: readonly AccessRecord[];
  readonly client: (config: S3ClientConfig) => S3Client;
  readonly close: (timeLimitMs?: number) => Promise<void>;
}

/** Anonymous callers may do everything unless told otherwise, so that raw requests need no signature. */
export async function startTestServer(
  options: Partial<Omit<S3ApiOptions, 'store'>> & { readonly store?: MemoryStore } = {},
  anonymous: readonly AccessRule[] = [{ actions: ['*'], resources: ['*'] }],
): Promise<TestServer> {
  const store = options.store ?? new MemoryStore();
  const records: AccessRecord[] = [];
  const everything = [{ actions: ['*'], resources: ['*'] }];
  const api = createS3Api({
    region: 'us-east-1',
    domains: ['s3.test'],
    credentials: staticCredentials(
      [{ name: 'tester', accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY, allow: everything }],
      anonymous,
    ),
    accessLog: (record) => records.push(record),
    ...options,
    store,
  });
  const server = await api.listen({ host: '127.0.0.1', port: 0 });
  const clients: S3Client[] = [];
  const client = (config: S3ClientConfig) => {
    const made = new S3Client({
      endpoint: server.url,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
      ...config,
    });
    clients.push(made);
    return made;
  };
  return {
    url: server.url,
    port: server.port,
    store,
    records,
    client,
    s3: client({}),
    close: async (timeLimitMs = 1000) => {
      for (const each of clients) each.destroy();
      await server.close(timeLimitMs);
    },
  };
}

/** Sends these very bytes and gives all that comes back until the server closes the connection. */
export async function rawExchange(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => undefined);
  for (const piece of pieces) socket.write(piece);
  await once(socket, 'close');
  return Buffer.concat(received).toString('latin1');
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The error document's `Code`, where there is one. */
  readonly code: string | undefined;
}

/** An unsigned request by `fetch`, its answer read whole. */
export async function send(url: string, init: RequestInit = {}): Promise<RawAnswer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, code: /<Code>([^<]*)<\/Code>/.exec(text)?.[1] };
}
