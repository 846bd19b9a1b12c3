/** The store behind the gateway, as the configuration names it. */
import type { Config } from './config/schema.js';
import type { BackingStore } from './stores/backing-store.js';
import { FilesystemStore } from './stores/filesystem/filesystem-store.js';
import { S3Store } from './stores/s3/s3-store.js';

/** A store that holds files or connections, which its owner gives back. */
export type OpenedBackingStore = BackingStore & { close(): Promise<void> };

export async function openBackingStore({ store }: Config): Promise<OpenedBackingStore> {
  if (store.type === 's3') return new S3Store(store);
  const files = new FilesystemStore(store.path);
  await files.start();
  return files;
}
