import { describeObjectStore } from '../testing/object-store-contract.js';
import { makeTemporaryDirectory } from '../testing/temporary-directory.js';
import { FilesystemStore } from './filesystem-store.js';

describeObjectStore('the filesystem store', async () => {
  const directory = await makeTemporaryDirectory();
  const store = new FilesystemStore(directory.path);
  await store.start();
  return {
    store,
    close: async () => {
      await store.close();
      await directory.remove();
    },
  };
});
