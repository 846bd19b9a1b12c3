/** The example of `docs/codec.md`, run as a user of the package would run it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('runs the example of docs/codec.md on the built package and prints what the page says', () => {
  const page = readFileSync(new URL('../docs/codec.md', import.meta.url), 'utf8');
  const [, program = ''] = /```js\n([^]*?)```/.exec(page) ?? [];
  const [, promised = ''] = /It prints `([^`]*)`/.exec(page) ?? [];
  // Standard input has the working directory for its place, so that the package finds itself by name.
  const run = spawnSync(process.execPath, ['--input-type=module'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    input: program,
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  expect(JSON.parse(run.stdout)).toEqual(JSON.parse(promised));
});
