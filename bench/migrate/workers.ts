/** Migration with two worker processes against one, where a distant device and not the processor is the limit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { findNatsServer, NATS_SERVER_MISSING, startNatsServer } from '../../src/migrate/testing/nats-server.js';
import { S3Store } from '../../src/stores/s3/s3-store.js';
import { findVersitygw, startVersitygw, VERSITYGW_MISSING } from '../../src/stores/testing/versitygw.js';
import type { BenchRow } from '../row.js';

const PICTURES = 400;
const SIDE = 48;
const worker = fileURLToPath(new URL('worker.js', import.meta.url));
const never = new AbortController().signal;

export async function* benchWorkers(): AsyncGenerator<BenchRow> {
  const [natsServer, versitygw] = [await findNatsServer(), await findVersitygw()];
  if (natsServer === undefined) throw new Error(NATS_SERVER_MISSING);
  if (versitygw === undefined) throw new Error(VERSITYGW_MISSING);
  const nats = await startNatsServer(natsServer);
  const server = await startVersitygw(versitygw);
  const { endpoint, accessKeyId, secretAccessKey } = server;
  try {
    const backing = {
      endpoint,
      accessKeyId,
      secretAccessKey,
      region: 'us-east-1',
      bucketPrefix: '',
      buckets: {},
      forcePathStyle: true,
      maxConnections: 64,
      deadlineSeconds: 30,
    };
    const seconds: number[] = [];
    for (const workers of [1, 2]) {
      const bucket = `pictures-${workers}`;
      await fill(new S3Store(backing), bucket);
      const start = performance.now();
      const converted = await Promise.all(
        Array.from({ length: workers }, () => run([nats.url, bucket, bucket, JSON.stringify(backing)])),
      );
      seconds.push((performance.now() - start) / 1000);
      const sum = converted.reduce((total, count) => total + count, 0);
      if (sum !== PICTURES) throw new Error(`${sum} conversions of ${PICTURES} pictures`);
    }
    const [one = 0, two = 0] = seconds;
    yield {
      bench: 'migrate-workers',
      case: `${PICTURES} pictures, a conversion waits 250 ms, each converted once`,
      ours: two,
      peer: one,
      unit: 's with two worker processes',
      ratio: one / two,
      versus: 'one worker process',
    };
  } finally {
    await server.close();
    await nats.close();
  }
}

async function fill(store: S3Store, bucket: string): Promise<void> {
  await store.createBucket(bucket, never);
  for (let i = 0; i < PICTURES; i++) {
    const background = { r: i, g: 255 - i, b: 9 };
    const png = await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background } })
      .png()
      .toBuffer();
    const options = { contentLength: png.byteLength, systemMetadata: {}, userMetadata: {} };
    await store.putObject(bucket, `${i}.png`, Readable.from([png]), options, never);
  }
  await store.close();
}

/** @returns what the worker converted itself */
async function run(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [worker, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`a worker ended with ${child.exitCode}`);
  return Number(output);
}
