/** The file that tells supervisors and test suites that the gateway answers, and where. */
import { rename, rm, writeFile } from 'node:fs/promises';

export interface ReadyFile {
  readonly endpoint: string;
  readonly adminEndpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly pid: number;
}

/** Appears whole, by rename, readable by its owner only: it holds a secret. */
export async function writeReadyFile(path: string, content: ReadyFile): Promise<void> {
  const temporary = `${path}.${content.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

export async function removeReadyFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
