/** The files that clients upload: latents, a PNG, ordinary files, one large enough for parts. */
import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const samples = fileURLToPath(new URL('../../samples/', import.meta.url));

/** Over every client's threshold for uploads in parts (mc's is 16 MiB). */
export const LARGE_BYTES = 18 << 20;

export interface Fixtures {
  readonly latent: string;
  readonly png: string;
  readonly text: string;
  readonly empty: string;
  readonly large: string;
  close(): Promise<void>;
}

export async function makeFixtures(): Promise<Fixtures> {
  const directory = await mkdtemp(join(tmpdir(), 'latentbox-fixtures-'));
  const text = join(directory, 'text.txt');
  const empty = join(directory, 'empty');
  const large = join(directory, 'large.bin');
  await writeFile(text, 'plain text, naïve too\n');
  await writeFile(empty, '');
  await writeFile(large, incompressible(LARGE_BYTES));
  return {
    latent: join(samples, 'cat.npy'),
    png: join(samples, 'coffee.png'),
    text,
    empty,
    large,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The same bytes at each run, which no layer can shrink. */
export function incompressible(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
