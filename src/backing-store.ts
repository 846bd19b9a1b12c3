/** The store behind the gateway, as the configuration names it. */
import type { ObjectStore } from '../s3-api/index.js';
import type { Config } from './config/schema.js';
import { FilesystemStore } from './stores/filesystem/filesystem-store.js';
import { S3Store } from './stores/s3/s3-store.js';

/** A store whose owner may have to make it ready and to give its connections back. */
export type BackingStore = ObjectStore & { start?(): Promise<void>; close?(): Promise<void> };

export function openBackingStore({ store }: Config): BackingStore {
  return store.type === 'filesystem' ? new FilesystemStore(store.path) : new S3Store(store);
}
