import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { packagePath } from '../package-root.js';

const packageSchema = z.object({ version: z.string() });

export function packageVersion(): string {
  return packageSchema.parse(JSON.parse(readFileSync(packagePath('package.json'), 'utf8'))).version;
}
