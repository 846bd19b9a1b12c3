/** Serves the in-memory store for hand-held clients: `node serve-memory.js [PORT]` with the credentials `test`/`testsecret`. */
import { createS3Api, staticCredentials } from '../index.js';
import { MemoryStore } from './memory-store.js';

const api = createS3Api({
  store: new MemoryStore(),
  region: 'us-east-1',
  domains: ['localhost'],
  credentials: staticCredentials([
    {
      name: 'test',
      accessKeyId: 'test',
      secretAccessKey: 'testsecret',
      allow: [{ actions: ['*'], resources: ['*'] }],
    },
  ]),
  accessLog: (record) => {
    process.stdout.write(
      `${record.method} ${record.operation} ${record.bucket}/${record.key} ${record.status} ${record.errorCode ?? ''} ${record.durationMs.toFixed(1)}ms ${record.cause instanceof Error ? (record.cause.stack ?? '') : ''}\n`,
    );
  },
});
const server = await api.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 9000) });
process.stdout.write(`${server.url}\n`);
