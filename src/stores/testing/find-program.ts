/** Finds the programs of other people that tests run: in PATH, in Go's folder of programs, and where .ci/run installs. */
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param first folders that are looked into before all others
 * @returns undefined where it is not installed
 */
export async function findProgram(name: string, first: readonly string[] = []): Promise<string | undefined> {
  const folders = [
    ...first,
    ...(process.env['PATH'] ?? '').split(delimiter),
    join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin'),
    fileURLToPath(new URL('../../../.cache/ci/bin', import.meta.url)),
    // Debian keeps servers out of users' PATH.
    '/usr/sbin',
  ];
  for (const folder of folders.filter((entry) => entry !== '')) {
    const candidate = join(folder, name);
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}
