/** A trace replayed over HTTP, one request after the other, gives the hit rates that the simulator predicts. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testContainer } from '../src/decode/testing/test-container.js';
import { simulationsOf, type ConfigurationName } from '../src/simulate/replay/configuration.js';
import { PUBLISHED_LATENCIES } from '../src/simulate/replay/latency-model.js';
import { replay } from '../src/simulate/replay/replay.js';
import { storeTrace, type StoredTrace } from '../src/simulate/replay/stored-trace.js';
import { syntheticTrace } from '../src/simulate/trace/open-trace.js';
import { GatewayProcess } from './support/gateway-process.js';

const REQUESTS = 800;
const BUCKET = 'images';
const CACHE_SHARE = 0.08;
/** Bundled model; pictures so small that a decode costs little. */
const MODEL = { model: 'bundled', channels: 16, factor: 8, height: 64 };
const ACCESS_KEY = { LATENTBOX_ACCESS_KEY_ID: 'replay', LATENTBOX_SECRET_ACCESS_KEY: 'replay-secret' };

const CACHES: readonly { readonly config: ConfigurationName; readonly section: (bytes: number) => object }[] = [
  { config: 'adaptive', section: (bytes) => ({ bytes }) },
  { config: 'adaptive-published', section: (bytes) => ({ bytes, policy: 'published' }) },
];

describe('a trace replayed over HTTP', () => {
  let folder: string;
  let trace: StoredTrace;

  const start = async (cache: object): Promise<GatewayProcess> => {
    const config = join(folder, 'gateway.json');
    const anonymous = [{ actions: ['s3:GetObject'], resources: ['*'] }];
    // JSON is YAML.
    await writeFile(config, JSON.stringify({ cache, anonymous, log: { level: 'error' } }));
    const args = ['--config', config, '--data', join(folder, 'data')];
    return GatewayProcess.start({ args, environment: ACCESS_KEY });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latentbox-replay-'));
    const synthetic = await storeTrace(syntheticTrace({ requests: REQUESTS, seed: 3 }), () => undefined);
    const imageBytes = new Uint32Array(synthetic.imageBytes.length);
    const latentBytes = new Uint32Array(synthetic.imageBytes.length);
    const gateway = await start({ bytes: 0 });
    try {
      const { endpoint, region, accessKeyId, secretAccessKey } = gateway.ready;
      const client = new S3Client({
        endpoint,
        region,
        credentials: { accessKeyId, secretAccessKey },
        forcePathStyle: true,
      });
      await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      for (let object = 0; object < imageBytes.length; object++) {
        // Widths differ, so that entries do.
        const container = testContainer({ ...MODEL, width: 64 + 8 * (object % 5), seed: object + 1 });
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${object}`, Body: container }));
        const answer = await fetch(`${endpoint}/${BUCKET}/${object}`);
        imageBytes[object] = (await answer.arrayBuffer()).byteLength;
        latentBytes[object] = (await stat(join(folder, 'data', BUCKET, `${object}`))).size;
      }
    } finally {
      await gateway.stop();
    }
    const workingSetBytes = imageBytes.reduce((sum, bytes) => sum + bytes, 0);
    trace = { ...synthetic, imageBytes, latentBytes, workingSetBytes };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(CACHES)(
    'has the hit rates of the simulated $config cache within 1 percentage point',
    async ({ config, section }) => {
      const gateway = await start(section(Math.floor(CACHE_SHARE * trace.workingSetBytes)));
      const outcomes = new Map<string | null, number>();
      try {
        for (const object of trace.objects) {
          const answer = await fetch(`${gateway.ready.endpoint}/${BUCKET}/${object}`);
          await answer.arrayBuffer();
          const outcome = answer.headers.get('x-lbx-outcome');
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      } finally {
        await gateway.stop();
      }
      const [simulation] = simulationsOf(CACHE_SHARE, trace.workingSetBytes, [config]);
      if (simulation === undefined) throw new Error(`no simulation of ${config}`);
      // The store is a folder here: fetching costs nearly nothing beside decoding.
      const latencies = { ...PUBLISHED_LATENCIES, decodeMs: 15, fetchMs: 2 };
      const { row } = replay(trace, simulation, { latencies, windows: 1 });
      const share = (outcome: string): number => (outcomes.get(outcome) ?? 0) / REQUESTS;
      expect(Math.abs(share('image-hit') - row.imageHit)).toBeLessThan(0.01);
      expect(Math.abs(share('latent-hit') - row.latentHit)).toBeLessThan(0.01);
      expect(Math.abs(share('miss') - row.miss)).toBeLessThan(0.01);
      // Both tiers have work to do, or nothing would be shown.
      expect(share('latent-hit') + share('image-hit')).toBeGreaterThan(0.2);
      expect(share('miss')).toBeGreaterThan(0.05);
    },
  );
});
