// Compiles to dist/ and copies the committed WebAssembly modules beside the code that loads them.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

for (const entry of await readdir(join(root, 'codec'), { recursive: true })) {
  if (!entry.endsWith('.wasm') || entry.includes('target')) continue;
  const target = join(root, 'dist', 'codec', entry);
  await mkdir(dirname(target), { recursive: true });
  await cp(join(root, 'codec', entry), target);
}

const compiled = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
