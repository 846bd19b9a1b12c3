/** A long decode keeps nobody waiting who does not need the decoder. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../codec/index.js';
import { filesystemBackend, type Backend } from './support/backends.js';
import { GatewayProcess } from './support/gateway-process.js';

const sample = fileURLToPath(new URL('../samples/cat.npy', import.meta.url));

describe('while a decode runs', () => {
  let backend: Backend;
  let gateway: GatewayProcess;
  let client: S3Client;

  beforeAll(async () => {
    backend = await filesystemBackend();
    gateway = await GatewayProcess.start({ ...backend, environment: { LATENTBOX_CACHE_ON_PUT: 'image' } });
    const { endpoint, region, accessKeyId, secretAccessKey } = gateway.ready;
    client = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'images' }));
    await client.send(new PutObjectCommand({ Bucket: 'images', Key: 'hot.png', Body: await readFile(sample) }));
  });
  afterAll(async () => {
    client.destroy();
    await gateway.stop();
    await backend.close();
  });

  it('answers image-tier hits without waiting for it', async () => {
    const decode = { running: true };
    const slow = client
      .send(new PutObjectCommand({ Bucket: 'images', Key: 'slow.png', Body: tiled(await readFile(sample), 4) }))
      .finally(() => (decode.running = false));
    let hits = 0;
    while (decode.running && hits < 200) {
      const hit = await fetchHot();
      expect(hit.outcome).toBe('image-hit');
      hits += 1;
    }
    await slow;
    // The decode of 16 times the pixels takes many times as long as an image hit, whatever the machine.
    expect(hits).toBeGreaterThan(5);
  });

  it('decodes once for identical requests in flight', async () => {
    const responses = await Promise.all(
      Array.from({ length: 8 }, () => client.send(new GetObjectCommand({ Bucket: 'images', Key: 'slow.png' }))),
    );
    const bodies = await Promise.all(
      responses.map(async ({ Body }) => Buffer.from((await Body?.transformToByteArray()) ?? [])),
    );
    for (const body of bodies) expect(body.equals(bodies[0] ?? Buffer.alloc(0))).toBe(true);
  });

  async function fetchHot(): Promise<{ outcome: string | undefined }> {
    let outcome: string | undefined;
    const command = new GetObjectCommand({ Bucket: 'images', Key: 'hot.png' });
    command.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        outcome = (result.response as { headers: Record<string, string> }).headers['x-lbx-outcome'];
        return result;
      },
      { step: 'deserialize', priority: 'low' },
    );
    const { Body } = await client.send(command);
    await Body?.transformToByteArray();
    return { outcome };
  }
});

/** The latent repeated `times` by `times`. */
function tiled(file: Uint8Array, times: number): Uint8Array {
  const { dtype, shape, data } = readNpy(file);
  const [channels = 0, height = 0, width = 0] = shape;
  const rowBytes = width * 2;
  const rows: Uint8Array[] = [];
  for (let channel = 0; channel < channels; channel += 1) {
    for (let row = 0; row < height * times; row += 1) {
      const start = (channel * height + (row % height)) * rowBytes;
      for (let column = 0; column < times; column += 1) rows.push(data.subarray(start, start + rowBytes));
    }
  }
  return writeNpy({ dtype, shape: [channels, height * times, width * times], data: Buffer.concat(rows) });
}
