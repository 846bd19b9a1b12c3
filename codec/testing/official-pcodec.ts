/** The reference implementation of pcodec, by its Python package, for tests that compare with it. */
import { spawnSync } from 'node:child_process';

const python = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';

/** Why the reference cannot be had here; undefined where it can. */
export function whyNoOfficialPcodec(): string | undefined {
  const probe = spawnSync(python, ['-c', 'import numpy, pcodec'], { encoding: 'utf8' });
  if (probe.status === 0) return undefined;
  return `needs ${python} with the packages pcodec and numpy (set LATENTBOX_TEST_PYTHON)`;
}

/** Runs a program and gives what it printed. */
export function runPython(program: string, ...args: readonly string[]): string {
  const run = spawnSync(python, ['-c', program, ...args], { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (run.status !== 0) throw new Error(`python failed: ${run.stderr}`);
  return run.stdout;
}
