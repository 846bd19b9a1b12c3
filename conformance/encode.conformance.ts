/** PNGs become latents behind real clients' backs: what they compare (size, time, pixels, metadata) stays as it was. */
import { copyFile, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesystemBackend, type Backend } from './support/backends.js';
import { findProgram } from '../src/stores/testing/find-program.js';
import { GatewayProcess } from './support/gateway-process.js';
import { mustRun } from './support/run-command.js';

const samples = fileURLToPath(new URL('../samples/', import.meta.url));
const rclone = await findProgram('rclone');

describe('a bucket whose PNGs are encoded', () => {
  let backend: Backend;
  let gateway: GatewayProcess;
  let files: string;
  let local: string;
  const aws = (...args: string[]) => mustRun('aws', args, gateway.clientEnvironment);

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'latentbox-files-'));
    local = join(files, 'local');
    await mkdir(local);
    backend = await filesystemBackend();
    gateway = await GatewayProcess.start({ ...backend, args: [...backend.args, '--encode', 'generated'] });
    await aws('s3', 'mb', 's3://generated');
    await aws('s3', 'mb', 's3://plain');
    await aws('s3', 'cp', join(samples, 'cat.npy'), 's3://plain/cat.png');
    await aws('s3', 'cp', 's3://plain/cat.png', join(files, 'served.png'));
    await sharp(join(files, 'served.png')).png({ adaptiveFiltering: true }).toFile(join(local, 'own.png'));
    await sharp(join(samples, 'coffee.png')).ensureAlpha(0.5).png().toFile(join(local, 'glass.png'));
    await copyFile(join(samples, 'cat.npy'), join(local, 'latent.npy'));
    await aws('s3', 'cp', '--recursive', '--exclude', '*.npy', local, 's3://generated/');
  });
  afterAll(async () => {
    await gateway.stop();
    await backend.close();
    await rm(files, { recursive: true, force: true });
  });

  it('holds a latent for the picture that its model made, and the other one byte for byte', async () => {
    const uploaded = await readFile(join(local, 'own.png'));
    const stored = await readFile(join(backend.files, 'generated', 'own.png'));
    expect(stored.indexOf('pco!')).toBeGreaterThan(0);
    expect(stored.byteLength).toBeLessThan(uploaded.byteLength / 2);
    const kept = await readFile(join(backend.files, 'generated', 'glass.png'));
    expect(kept.equals(await readFile(join(local, 'glass.png')))).toBe(true);
  });

  it('has nothing for aws s3 sync to transfer, in either direction', async () => {
    expect(await aws('s3', 'sync', '--exclude', '*.npy', local, 's3://generated/')).toBe('');
    const { size } = await stat(join(local, 'own.png'));
    expect(await aws('s3', 'ls', 's3://generated/own.png')).toMatch(new RegExp(`\\s${size} own\\.png`));
    expect(await aws('s3', 'sync', '--size-only', 's3://generated/', local)).toBe('');
  });

  it.skipIf(rclone === undefined)('is clean for rclone check by size (skipped where rclone is absent)', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = gateway.ready;
    const remote = `:s3,provider=Other,endpoint="${endpoint}",access_key_id=${accessKeyId},secret_access_key=${secretAccessKey}:generated`;
    await mustRun(rclone ?? '', ['check', '--size-only', '--exclude', '*.npy', local, remote], {
      ...gateway.clientEnvironment,
    });
  });

  it('shows the same picture', async () => {
    await aws('s3', 'cp', 's3://generated/own.png', join(files, 'back.png'));
    const [before, after] = await Promise.all(
      [join(local, 'own.png'), join(files, 'back.png')].map((file) => sharp(file).raw().toBuffer()),
    );
    if (!before || !after) throw new Error('no pixels');
    const squares = before.reduce((sum, value, i) => sum + (value - (after[i] ?? 0)) ** 2, 0);
    expect(10 * Math.log10((255 ** 2 * before.length) / squares)).toBeGreaterThan(47);
  });

  it('counts what it did and why', async () => {
    const metrics = await (await fetch(new URL('/metrics', gateway.ready.adminEndpoint))).text();
    expect(metrics).toContain('latentbox_conversions_total{result="latent",model="bundled"} 1');
    expect(metrics).toContain('latentbox_conversions_total{result="transparency",model=""} 1');
  });
});
