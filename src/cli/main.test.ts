/** The command line as a process: what it exits with. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

function exitCode(...args: string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], () => resolve(child.exitCode ?? -1));
  });
}

describe('the command line', () => {
  it.each([[['--help']], [['serve', '--help']], [['model', 'add', '--help']], [['--version']]])(
    'exits with 0 after %j',
    async (args) => {
      expect(await exitCode(...args)).toBe(0);
    },
  );

  it.each([
    [['nonsense']],
    [['serve', '--nonsense']],
    [['migrate']],
    [['migrate', '/no-bucket']],
    [['migrate', 'images', '--psnr', '5']],
    [['migrate', 'images', '--verify', '--restore']],
    [['model', 'add', 'only-a-name']],
    [['serve', '--config', 'no such file.yaml']],
  ])('exits with 2 for the wrong usage %j', async (args) => {
    expect(await exitCode(...args)).toBe(2);
  });

  it('exits with 1 where the work fails', async () => {
    expect(await exitCode('inspect', 'no such file')).toBe(1);
  });
});
