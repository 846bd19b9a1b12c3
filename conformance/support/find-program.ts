/** Finds the client programs: in PATH, in Go's folder of programs, and where .ci/run installs. */
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin'),
    fileURLToPath(new URL('../../.cache/ci/bin', import.meta.url)),
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
