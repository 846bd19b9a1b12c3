/** kill -9 while an object is overwritten: afterwards the key holds the old bytes or the new ones, whole. */
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it } from 'vitest';
import { filesystemBackend, versitygwBackend } from './support/backends.js';
import { GatewayProcess } from './support/gateway-process.js';

const ROUNDS = 8;
const OBJECT_BYTES = 6 << 20;

const backends = [
  { name: 'filesystem store', open: filesystemBackend },
  { name: 's3 store over versitygw', open: versitygwBackend },
];
const opened = await Promise.all(backends.map(async ({ name, open }) => ({ name, backend: await open() })));

function clientOf({ ready }: GatewayProcess): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = ready;
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.each(opened)('a gateway killed during PUT on the $name', ({ backend }) => {
  if (!backend) {
    it.skip('needs versitygw in PATH (go install github.com/versity/versitygw/cmd/versitygw)');
    return;
  }
  afterAll(() => backend.close());

  it(`holds the old object or the new one after each of ${ROUNDS} kills, and leaves no temporary`, async () => {
    let gateway = await GatewayProcess.start(backend);
    await clientOf(gateway).send(new CreateBucketCommand({ Bucket: 'crash' }));
    let current = randomBytes(OBJECT_BYTES);
    await clientOf(gateway).send(new PutObjectCommand({ Bucket: 'crash', Key: 'object', Body: current }));
    const outcomes = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const next = randomBytes(OBJECT_BYTES);
      const put = clientOf(gateway)
        .send(new PutObjectCommand({ Bucket: 'crash', Key: 'object', Body: next }))
        .catch((error: unknown) => error);
      await delay(randomInt(0, 60));
      await gateway.stop('SIGKILL');
      await put;
      gateway = await GatewayProcess.start(backend);
      const { Body } = await clientOf(gateway).send(new GetObjectCommand({ Bucket: 'crash', Key: 'object' }));
      const stored = sha256((await Body?.transformToByteArray()) ?? new Uint8Array());
      expect([sha256(current), sha256(next)]).toContain(stored);
      if (stored === sha256(next)) {
        current = next;
        outcomes.add('new');
      } else outcomes.add('old');
    }
    expect(await gateway.stop()).toBe(0);
    expect(outcomes.size).toBeGreaterThan(0);
    expect((await readdir(join(backend.files, 'crash'))).filter((name) => !name.startsWith('.'))).toEqual(['object']);
  });
});
