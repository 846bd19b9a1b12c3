/**
 * The baseline: PNGs in the same backing server, behind an LRU of the same size, in a thread of its own. One fetch at a
 * time for each key, as in the gateway.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { readAll } from '../../../src/latents/read-all.js';
import { S3Store } from '../../../src/stores/s3/s3-store.js';
import { configSchema } from '../../../src/config/schema.js';
import type { Backend, RunningServer } from './gateway.js';

const MAX_PNG_BYTES = 1 << 26;
const READ_TIMEOUT_MS = 60_000;

const dataSchema = z.object({
  endpoint: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  cacheBytes: z.number(),
});

export async function startImageStore(backend: Backend, cacheBytes: number): Promise<RunningServer> {
  const { endpoint, accessKeyId, secretAccessKey } = backend;
  const data = { endpoint, accessKeyId, secretAccessKey, cacheBytes };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const [port] = z.tuple([z.number()]).parse(await once(worker, 'message'));
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      await worker.terminate();
    },
  };
}

function serve({ cacheBytes, ...backend }: z.output<typeof dataSchema>): void {
  const { store: options } = configSchema.parse({ store: { type: 's3', ...backend } });
  if (options.type !== 's3') throw new Error('an S3 store was configured');
  const store = new S3Store(options);
  const cache = new LRUCache<string, Uint8Array>({
    maxSize: cacheBytes,
    sizeCalculation: (png) => png.byteLength,
  });
  const flights = new Map<string, Promise<Uint8Array>>();

  const fetchPng = async (key: string): Promise<Uint8Array> => {
    const [, bucket = '', ...rest] = key.split('/');
    const content = await store.getObject(bucket, rest.join('/'), {}, AbortSignal.timeout(READ_TIMEOUT_MS));
    const png = await readAll(content, MAX_PNG_BYTES);
    cache.set(key, png);
    return png;
  };
  const server = createServer((request, response) => {
    const key = request.url ?? '';
    const cached = cache.get(key);
    const send = (png: Uint8Array, outcome: string): void => {
      response.writeHead(200, { 'content-length': png.byteLength, 'x-lbx-outcome': outcome });
      response.end(png);
    };
    if (cached) {
      send(cached, 'image-hit');
      return;
    }
    let flight = flights.get(key);
    if (!flight) {
      flight = fetchPng(key).finally(() => flights.delete(key));
      flights.set(key, flight);
    }
    flight.then(
      (png) => send(png, 'miss'),
      () => response.writeHead(502).end(),
    );
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') parentPort?.postMessage(address.port);
  });
}

if (!isMainThread) serve(dataSchema.parse(workerData));
