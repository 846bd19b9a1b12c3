/** Credentials for a gateway that was given none: made once, kept with mode 0600, so that a restart keeps them. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const accessKeySchema = z.strictObject({ accessKeyId: z.string().min(3), secretAccessKey: z.string().min(8) });

const FILE_NAME = 'development-credentials.json';

/**
 * @param directory state folder
 * @returns the key and the file that holds it
 * @throws Error where the file is there and is not what this function writes
 */
export async function developmentCredentials(directory: string): Promise<AccessKey & { readonly file: string }> {
  const file = join(directory, FILE_NAME);
  await mkdir(directory, { recursive: true });
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      const key: AccessKey = {
        accessKeyId: `LBX${randomBytes(10).toString('hex').slice(0, 17).toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64url'),
      };
      await handle.writeFile(`${JSON.stringify(key, null, 2)}\n`);
      await handle.sync();
      return { ...key, file };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  try {
    return { ...accessKeySchema.parse(JSON.parse(await readFile(file, 'utf8'))), file };
  } catch (cause) {
    throw new Error(`${file} does not hold development credentials; delete it to have new ones made`, { cause });
  }
}
