/** The evaluation latents by kind; made on first use, since no data file is in the repository. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLatentFile, type Tensor } from '../../codec/index.js';

export interface EvaluationLatent {
  readonly kind: string;
  readonly name: string;
  readonly tensor: Tensor;
}

// Compiled to dist/bench/codec: the repository is three folders up.
const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = join(REPOSITORY, '.cache/evaluation-latents');
const SCRIPT = join(REPOSITORY, 'bench/codec/evaluation-latents.py');
const PYTHON = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';
/** Enough for stable figures; the script alone makes all of them. */
const PICTURES = 6;

/** @throws Error naming the script where the latents are not there and cannot be made */
export async function* evaluationLatents(): AsyncGenerator<EvaluationLatent, void, undefined> {
  if (!existsSync(FOLDER)) make();
  for (const kind of (await readdir(FOLDER)).sort()) {
    const files = (await readdir(join(FOLDER, kind))).filter((file) => /\.(npy|safetensors)$/.test(file)).sort();
    for (const file of files) {
      const { tensor } = readLatentFile(await readFile(join(FOLDER, kind, file)));
      yield { kind, name: file.slice(0, file.indexOf('.')), tensor };
    }
  }
}

function make(): void {
  process.stderr.write(`making evaluation latents in ${FOLDER}\n`);
  const made = spawnSync(PYTHON, [SCRIPT, '--pictures', String(PICTURES)], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (made.status !== 0) throw new Error(`no evaluation latents: ${SCRIPT} failed`);
}
