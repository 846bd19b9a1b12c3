/** What every `ObjectStore` must do, as one suite: each implementation runs it against itself. */
import { afterAll, beforeAll, describe } from 'vitest';
import type { ObjectStore } from '../../../s3-api/object-store.js';
import { describeConditions } from './contract/conditions.js';
import { connected, NO_LIMITS, type ContractContext, type StoreLimits } from './contract/context.js';
import { describeListings } from './contract/listings.js';
import { describeMultipart } from './contract/multipart.js';
import { describeObjects } from './contract/objects.js';

export interface OpenedStore {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

/** @param limits - What the server behind the store cannot hold, each with its reason. */
export function describeObjectStore(
  name: string,
  open: () => Promise<OpenedStore>,
  limits: Partial<StoreLimits> = {},
): void {
  describe(name, () => {
    let opened: OpenedStore;
    let count = 0;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    const context: ContractContext = {
      store: () => opened.store,
      limits: { ...NO_LIMITS, ...limits },
      makeBucket: async () => {
        const bucket = `contract-${++count}`;
        await opened.store.createBucket(bucket, connected);
        return bucket;
      },
    };
    describeObjects(context);
    describeListings(context);
    describeConditions(context);
    describeMultipart(context);
  });
}
