/** The store behind the gateway, as the configuration names it. */
import type { ObjectStore } from '../s3-api/index.js';
import type { Config } from './config/schema.js';
import { FilesystemStore } from './stores/filesystem/filesystem-store.js';
import { S3Store } from './stores/s3/s3-store.js';

/** A store that holds files or connections, which its owner gives back. */
export type BackingStore = ObjectStore & { close(): Promise<void> };

export async function openBackingStore({ store }: Config): Promise<BackingStore> {
  if (store.type === 's3') return new S3Store(store);
  const files = new FilesystemStore(store.path);
  await files.start();
  return files;
}
