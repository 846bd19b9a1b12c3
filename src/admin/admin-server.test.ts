import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminServer } from './admin-server.js';
import { Metrics } from './metrics.js';

describe('AdminServer', () => {
  const metrics = new Metrics();
  let reasons: string[] = [];
  let server: AdminServer;
  let url: string;

  beforeEach(async () => {
    server = new AdminServer({ host: '127.0.0.1', port: 0, registry: metrics.registry, notReady: () => reasons });
    url = await server.start();
  });
  afterEach(() => server.close());

  it('is healthy whenever it answers, and ready when nothing stands in the way', async () => {
    reasons = ['starting'];
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const early = await fetch(`${url}/readyz`);
    expect([early.status, await early.json()]).toEqual([503, { status: 'not ready', reasons: ['starting'] }]);
    reasons = [];
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('exposes what was counted', async () => {
    metrics.read('image-hit', { lookup: 0.1 }, false);
    metrics.request('GetObject', 404, 0.01, 'NoSuchKey');
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('latentbox_reads_total{outcome="image-hit"} 1');
    expect(text).toContain('latentbox_s3_errors_total{code="NoSuchKey"} 1');
    expect(text).toMatch(/latentbox_stage_seconds_count\{stage="lookup"\} 1/);
  });

  it('says which port is taken', async () => {
    const port = Number(new URL(url).port);
    const second = new AdminServer({ host: '127.0.0.1', port, registry: metrics.registry, notReady: () => [] });
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await second.close();
  });
});
