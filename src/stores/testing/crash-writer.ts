/**
 * A process that writes to a filesystem store until it is killed: `node crash-writer.js DATA ROUND`. Each line that it
 * prints is one step of its journal, written before (`begin`) or after (`done`) the call, so that the parent knows what
 * must be there and what may be.
 */
import { writeSync } from 'node:fs';
import { FilesystemStore } from '../filesystem/filesystem-store.js';
import { bodyOf, connected, put } from './contract/context.js';
import { CRASH_BUCKET, CRASH_KEYS, crashBody, isDelete, isMultipart } from './crash-journal.js';

const [directory = '', round = '0'] = process.argv.slice(2);
const store = new FilesystemStore(directory);
await store.start();

async function write(key: string, n: number): Promise<void> {
  if (isDelete(n)) {
    await store.deleteObject(CRASH_BUCKET, key, {});
    return;
  }
  const bytes = crashBody(key, n);
  const userMetadata = { n: String(n) };
  if (!isMultipart(n)) {
    await put(store, CRASH_BUCKET, key, bytes, { userMetadata });
    return;
  }
  const { uploadId } = await store.createMultipartUpload(CRASH_BUCKET, key, { systemMetadata: {}, userMetadata });
  const part = await store.uploadPart(CRASH_BUCKET, key, uploadId, 1, bodyOf(bytes), {}, connected);
  await store.completeMultipartUpload(CRASH_BUCKET, key, uploadId, [part], {}, connected);
}

await Promise.all(
  CRASH_KEYS.map(async (key) => {
    for (let n = Number(round) * 100_000; ; n++) {
      writeSync(1, `begin ${key} ${n}\n`);
      await write(key, n);
      writeSync(1, `done ${key} ${n}\n`);
    }
  }),
);
