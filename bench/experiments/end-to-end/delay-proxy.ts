/**
 * An HTTP proxy, in a thread of its own, that passes each request on after a delay: an object store some way off. The
 * delay spreads as published for S3, 79 to 146 ms from the 5th to the 95th percentile.
 */
import { Agent, createServer, request } from 'node:http';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { hashNormal } from '../../../src/simulate/trace/random.js';

const MEDIAN_MS = Math.sqrt(79 * 146);
/** Standard deviation of the logarithm: the 95th percentile of a normal law lies 1.645 of it over the median. */
const SPREAD = Math.log(146 / 79) / (2 * 1.645);

const dataSchema = z.object({ target: z.url(), seed: z.number() });

export interface DelayProxy {
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startDelayProxy(target: string, seed: number): Promise<DelayProxy> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { target, seed } });
  const [port] = z.tuple([z.number()]).parse(await once(worker, 'message'));
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      await worker.terminate();
    },
  };
}

function serve({ target, seed }: z.output<typeof dataSchema>): void {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    const delay = MEDIAN_MS * Math.exp(SPREAD * hashNormal(seed, requests++));
    setTimeout(() => {
      const { method, url: path, headers } = incoming;
      // The Host header goes through as it came: the client signed it.
      const forwarded = request({ agent, hostname, port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      });
      forwarded.on('error', () => outgoing.destroy());
      incoming.pipe(forwarded);
    }, delay);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') parentPort?.postMessage(address.port);
  });
}

if (!isMainThread) serve(dataSchema.parse(workerData));
