/** A bucket of PNGs is migrated by the real command, killed with -9 again and again, with the aws command line as witness. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { versitygwBackend, type Backend } from './support/backends.js';
import { GatewayProcess } from './support/gateway-process.js';
import { mustRun } from './support/run-command.js';

/** More of both by hand: LATENTBOX_MIGRATION_OBJECTS=5000 LATENTBOX_MIGRATION_KILLS=20. */
const OBJECTS = Number(process.env['LATENTBOX_MIGRATION_OBJECTS'] ?? 120);
const KILLS = Number(process.env['LATENTBOX_MIGRATION_KILLS'] ?? 4);
/** Every tenth object is a text, which must stay. */
const TEXT_EVERY = 10;
/** A kill falls into this much of a run, in milliseconds: into its start, or into its work. */
const [FIRST_KILL_MS, LAST_KILL_MS] = [1500, 6000];
const TIMEOUT_MS = 60_000 + OBJECTS * 1000;

const program = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const reportSchema = z.object({
  objects: z.number(),
  converted: z.number(),
  verbatim: z.number(),
  alreadyLatent: z.number(),
  unsettled: z.number(),
  failed: z.array(z.unknown()),
  savedBytes: z.number(),
});
const forecastSchema = z.object({ savedBytes: z.number(), savedShareError: z.number(), bytes: z.number() });
const verificationSchema = z.object({ objects: z.number(), latents: z.number(), failed: z.array(z.unknown()) });

const backend = await versitygwBackend();

describe('a migration that is killed again and again', () => {
  if (!backend) {
    it.skip('needs versitygw in PATH (go install github.com/versity/versitygw/cmd/versitygw)');
    return;
  }
  let gateway: GatewayProcess;
  let files: string;
  const bucket = 'pictures';
  /** The encoder's own latents, at a floor that they reach: what is tested is the handling, not the search. */
  const settings = ['--steps', '0', '--psnr', '20', '--ssim', '0.2', '--min-saving', '0.1', '--json'];
  const aws = (...args: string[]) => mustRun('aws', args, gateway.clientEnvironment);

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'latentbox-pictures-'));
    await mkdir(join(files, 'folder'));
    for (let i = 0; i < OBJECTS; i += 1) {
      const name = `${i % 3 === 0 ? 'folder/' : ''}${i % TEXT_EVERY === 0 ? `note ${i}.txt` : `picture+${i}.png`}`;
      await writeFile(join(files, name), i % TEXT_EVERY === 0 ? `note ${i}` : await picture(i));
    }
    gateway = await GatewayProcess.start(backend);
    await aws('s3', 'mb', `s3://${bucket}`);
    await aws('s3', 'sync', files, `s3://${bucket}`);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await gateway.stop();
    await backend.close();
    await rm(files, { recursive: true, force: true });
  });

  it(
    `has every object once after ${KILLS} kills, none converted twice, none left aside`,
    async () => {
      const forecast = forecastSchema.parse(JSON.parse(await migrate(backend, [bucket, '--dry-run', ...settings])));
      let killed = 0;
      while (killed < KILLS) {
        const run = start(backend, [bucket, ...settings]);
        await Promise.race([delay(FIRST_KILL_MS + Math.random() * (LAST_KILL_MS - FIRST_KILL_MS)), once(run, 'exit')]);
        if (run.exitCode !== null) break;
        const exited = once(run, 'exit');
        run.kill('SIGKILL');
        await exited;
        killed += 1;
      }
      const report = reportSchema.parse(JSON.parse(await migrate(backend, [bucket, ...settings])));
      const texts = Math.ceil(OBJECTS / TEXT_EVERY);
      expect(report).toMatchObject({ objects: OBJECTS, alreadyLatent: 0, unsettled: 0, failed: [] });
      expect(report.verbatim).toBeGreaterThanOrEqual(texts);
      expect(report.converted).toBeGreaterThan((OBJECTS - texts) * 0.9);
      const error = Math.abs(report.savedBytes - forecast.savedBytes);
      expect(error).toBeLessThan(Math.max(0.05 * report.savedBytes, 3 * forecast.savedShareError * forecast.bytes));

      const listed = z
        .object({ Contents: z.array(z.object({ Key: z.string() })) })
        .parse(JSON.parse(await aws('s3api', 'list-objects-v2', '--bucket', bucket)));
      expect(listed.Contents).toHaveLength(OBJECTS);
      expect(listed.Contents.filter(({ Key }) => Key.startsWith('.latentbox-migration/'))).toEqual([]);
      const verified = verificationSchema.parse(JSON.parse(await migrate(backend, [bucket, '--verify', '--json'])));
      expect(verified).toMatchObject({ objects: OBJECTS, latents: report.converted, failed: [] });
    },
    TIMEOUT_MS,
  );

  it('shows clients nothing that changed: sync transfers nothing, and texts are the same', async () => {
    expect(await aws('s3', 'sync', files, `s3://${bucket}`)).toBe('');
    expect(await aws('s3', 'cp', `s3://${bucket}/folder/note 0.txt`, '-')).toBe('note 0');
    await aws('s3', 'cp', `s3://${bucket}/picture+1.png`, join(files, 'served.png'));
    const served = await readFile(join(files, 'served.png'));
    expect(served.byteLength).toBe((await readFile(join(files, 'picture+1.png'))).byteLength);
    const { width, height } = await sharp(served).metadata();
    expect({ width, height }).toEqual({ width: 96, height: 96 });
    await rm(join(files, 'served.png'));
  });

  it(
    'goes back: every object is a PNG of the same size again',
    async () => {
      await migrate(backend, [bucket, '--restore', '--json']);
      const verified = verificationSchema.parse(JSON.parse(await migrate(backend, [bucket, '--verify', '--json'])));
      expect(verified).toMatchObject({ objects: OBJECTS, latents: 0, failed: [] });
      expect(await aws('s3', 'sync', files, `s3://${bucket}`)).toBe('');
    },
    TIMEOUT_MS,
  );
});

function start({ environment, args }: Backend, command: readonly string[]) {
  return spawn(process.execPath, [program, 'migrate', ...command, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function migrate(backend: Backend, command: readonly string[]): Promise<string> {
  const run = start(backend, command);
  let output = '';
  run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(run, 'close');
  expect(run.exitCode, output).toBe(0);
  return output;
}

/** A soft picture under noise that a decoder will not draw, so that the PNG served is shorter than the upload. */
function picture(seed: number): Promise<Buffer> {
  const side = 96;
  let state = seed * 7919 + 1;
  const pixels = Buffer.alloc(side * side * 3);
  for (let i = 0; i < pixels.length; i += 1) {
    state = (state * 48_271) % 2_147_483_647;
    const at = Math.floor(i / 3);
    const wave = Math.sin(((at % side) + seed) / 11) + Math.cos(Math.floor(at / side) / (7 + (seed % 5)));
    pixels[i] = Math.max(0, Math.min(255, Math.round(128 + 45 * wave + (state % 21) - 10)));
  }
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}
