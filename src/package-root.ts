/** Where the package lies: above `src/` or above `dist/src/`. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a file or folder of the package, such as the bundled model. */
export function packagePath(relative: string): string {
  const candidates = [new URL('../', import.meta.url), new URL('../../', import.meta.url)];
  const root = candidates.find((url) => existsSync(new URL('package.json', url)));
  if (!root) throw new Error('package.json was not found beside the program');
  return fileURLToPath(new URL(relative, root));
}
