import { describe, it } from 'vitest';
import { describeObjectStore } from '../testing/object-store-contract.js';
import { findVersitygw, startVersitygw, VERSITYGW_MISSING } from '../testing/versitygw.js';
import { S3Store } from './s3-store.js';

const program = await findVersitygw();

/** What versitygw 1.8 over plain files cannot hold, or does otherwise than S3. */
const VERSITYGW_LIMITS = {
  keysInsideKeys: 'a key is a file, and a file is no folder',
  folderKeysWithBytes: 'a key that ends in a slash is a folder, which holds no bytes',
  oddKeys: 'a key is a path of the file system',
  tagsReplaced: 'an object that is overwritten keeps its tags',
  objectParts: 'GetObjectAttributes of a finished upload tells no parts',
};

if (program === undefined) {
  describe('the S3 store over versitygw', () => {
    it.skip(VERSITYGW_MISSING);
  });
} else {
  describeObjectStore(
    'the S3 store over versitygw',
    async () => {
      const server = await startVersitygw(program);
      const { endpoint, accessKeyId, secretAccessKey } = server;
      const store = new S3Store({
        endpoint,
        accessKeyId,
        secretAccessKey,
        region: 'us-east-1',
        bucketPrefix: 'backing-',
        buckets: {},
        forcePathStyle: true,
        maxConnections: 32,
        deadlineSeconds: 20,
      });
      return {
        store,
        close: async () => {
          await store.close();
          await server.close();
        },
      };
    },
    VERSITYGW_LIMITS,
  );
}
