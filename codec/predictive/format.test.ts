/** `docs/predictive-codec.md` and the code say the same: its Python decoder reads what the engine writes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clearLowBits, correlatedValues, everyPattern, tensorOf } from '../testing/tensors.js';
import type { Tensor } from '../tensor.js';
import { predictiveCompress, predictiveDecompress } from './predictive.js';
import { latentLike } from './testing/latent-like.js';

const page = readFileSync(new URL('../../docs/predictive-codec.md', import.meta.url), 'utf8');
const block = (language: string): string => new RegExp(`\`\`\`${language}\\n([^\`]*)\`\`\``).exec(page)?.[1] ?? '';

const example = Buffer.concat(
  block('hexdump')
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(line.slice(6, 53).replaceAll(' ', ''), 'hex')),
);
const words = Uint16Array.from(
  { length: 80 },
  (_, i) => 0x3f80 + (i % 10) + 2 * Math.floor(i / 10) + (i % 5 === 0 ? 1 : 0),
);
const tensor = tensorOf('bf16', [1, 8, 10], new Uint8Array(words.buffer));

describe('the worked example of docs/predictive-codec.md', () => {
  it('is what the engine writes and reads', () => {
    expect(Buffer.from(predictiveCompress(tensor) ?? []).toString('hex')).toBe(example.toString('hex'));
    expect(Buffer.compare(predictiveDecompress(example, 'bf16', [1, 8, 10]), tensor.data)).toBe(0);
  });
});

const python = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';
const missing = spawnSync(python, ['--version']).status === 0 ? '' : ` (needs ${python})`;
const PYTHON_TIMEOUT_MS = 120_000;

describe.skipIf(missing !== '')(`the Python decoder of docs/predictive-codec.md${missing}`, () => {
  const spoiled = latentLike('bf16', [2, 32, 32]);
  const pieces = new Uint16Array(spoiled.data.buffer);
  [0x7fc1, 0xff80, 0x8000, 0x0000, 0x0003, 0x4700, 0xc700].forEach((word, i) => (pieces[150 * i + 3] = word));
  const rounded = latentLike('f16', [2, 24, 24]);
  const halves = new Uint16Array(rounded.data.buffer);
  halves.forEach((word, i) => (halves[i] = word & 0xfff8));
  const values = clearLowBits(correlatedValues(2 * 24 * 24, 0.9), 16);

  it.each<[string, Tensor]>([
    ['the example', tensor],
    ['f16 with references', latentLike('f16', [5, 24, 40])],
    ['bf16 with references', latentLike('bf16', [4, 40, 24])],
    ['NaN, infinity, zeros, subnormals and outliers', spoiled],
    ['unused mantissa bits', rounded],
    ['bf16 held in f32', tensorOf('f32', [2, 24, 24], values)],
    ['stored words', everyPattern('bf16', [1, 256, 256])],
  ])(
    'gets the very bytes of %s',
    (_, { dtype, shape, data }) => {
      const folder = mkdtempSync(join(tmpdir(), 'latentbox-predictive-'));
      const file = join(folder, 'latent.lbp');
      writeFileSync(file, predictiveCompress({ dtype, shape, data }) ?? '');
      const run = spawnSync(python, ['-c', block('python'), file], { encoding: 'utf8', maxBuffer: 64 << 20 });
      rmSync(folder, { recursive: true });
      expect(run.stderr).toBe('');
      expect(run.stdout.trim() === Buffer.from(data).toString('hex')).toBe(true);
    },
    PYTHON_TIMEOUT_MS,
  );
});
