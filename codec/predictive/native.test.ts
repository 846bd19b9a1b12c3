/** The same sources compiled natively write the same bytes: nothing depends on the machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { clearLowBits, correlatedValues, everyPattern, tensorOf } from '../testing/tensors.js';
import type { Tensor } from '../tensor.js';
import { latentLike } from './testing/latent-like.js';
import { predictiveCompress } from './predictive.js';

const MANIFEST = fileURLToPath(new URL('../native/predictive/Cargo.toml', import.meta.url));
const BUILD_TIMEOUT_MS = 300_000;
/** The first with everything that the crate uses (`rust-version` of its manifest). */
const LEAST_MINOR = 85;

const cargo = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
const version = cargo.status === 0 ? /^cargo 1\.(\d+)/.exec(cargo.stdout) : null;
const missing = Number(version?.[1] ?? 0) >= LEAST_MINOR ? '' : ` (needs cargo 1.${LEAST_MINOR})`;

describe.skipIf(missing !== '')(`the native build${missing}`, () => {
  const target = mkdtempSync(join(tmpdir(), 'latentbox-native-'));
  afterAll(() => {
    rmSync(target, { recursive: true });
  });

  it(
    'writes the bytes that WebAssembly writes',
    () => {
      const env = { ...process.env, CARGO_TARGET_DIR: target };
      const options = ['--quiet', '--release', '--locked', '--manifest-path', MANIFEST];
      const built = spawnSync('cargo', ['build', ...options, '--example', 'compress'], { env, encoding: 'utf8' });
      expect(built.stderr).toBe('');
      const tensors: Tensor[] = [
        latentLike('f16', [16, 64, 64]),
        latentLike('bf16', [5, 33, 47]),
        everyPattern('bf16'),
        tensorOf('f32', [4, 32, 32], clearLowBits(correlatedValues(4 * 32 * 32, 0.9), 16)),
      ];
      for (const { dtype, shape, data } of tensors) {
        const run = spawnSync(join(target, 'release/examples/compress'), [dtype, ...shape.map(String)], {
          input: data,
        });
        expect(run.stderr.toString()).toBe('');
        const ours = predictiveCompress({ dtype, shape, data }) ?? new Uint8Array();
        expect(Buffer.compare(run.stdout, ours), `${dtype} ${shape.join('x')}`).toBe(0);
      }
    },
    BUILD_TIMEOUT_MS,
  );
});
