/** Inputs that earlier sessions found worth keeping, committed as base64 in one JSON file a target. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Beside the sources, wherever this module was compiled to. */
export function seedsFile(target: string): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const sources = here.replace(/([\\/])dist[\\/](codec[\\/]testing[\\/]fuzz[\\/])$/, '$1$2');
  return `${sources}seeds/${target}.json`;
}

/** Empty for a target without a file. */
export async function readSeeds(target: string): Promise<readonly Uint8Array[]> {
  const file = seedsFile(target);
  if (!existsSync(file)) return [];
  const inputs = JSON.parse(await readFile(file, 'utf8')) as readonly string[];
  return inputs.map((base64) => new Uint8Array(Buffer.from(base64, 'base64')));
}
