import { Readable } from 'node:stream';
import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findVersitygw, startVersitygw, VERSITYGW_MISSING, type RunningVersitygw } from '../../testing/versitygw.js';
import { BackingClient } from '../backing-client.js';
import { Backing } from '../backing.js';
import { BucketNames } from '../bucket-names.js';
import { S3Store } from '../s3-store.js';
import { StagedParts } from './staged-parts.js';
import { Sweep } from './sweep.js';
import { UploadRecords } from './upload-records.js';

const signal = new AbortController().signal;
const BUCKET = 'swept';
const TWO_DAYS_MS = 2 * 24 * 3_600_000;
const program = await findVersitygw();

const name = `the sweep of staged parts${program === undefined ? ` (${VERSITYGW_MISSING})` : ''}`;
describe.skipIf(program === undefined)(name, () => {
  let server: RunningVersitygw;
  let store: S3Store;
  let backing: Backing;
  beforeAll(async () => {
    server = await startVersitygw(program ?? '');
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const options = {
      endpoint,
      accessKeyId,
      secretAccessKey,
      region: 'us-east-1',
      bucketPrefix: '',
      buckets: {},
      forcePathStyle: true,
      maxConnections: 8,
      deadlineSeconds: 20,
    };
    store = new S3Store(options);
    backing = new Backing(new BackingClient(options), new BucketNames(options));
    await store.createBucket(BUCKET, signal);
  });
  afterAll(async () => {
    backing.client.close();
    await store.close();
    await server.close();
  });

  it('removes what belongs to no upload any more, once it is old, and leaves the rest', async () => {
    const begin = async (key: string) => {
      const reading = { when: 'always', context: {} } as const;
      const options = { systemMetadata: {}, userMetadata: {}, reading };
      const { uploadId } = await store.createMultipartUpload(BUCKET, key, options, signal);
      const body = Readable.from([Buffer.from('bytes')], { objectMode: false });
      await store.uploadPart(BUCKET, key, uploadId, 1, body, { contentLength: 5 }, signal);
      return uploadId;
    };
    const live = await begin('live');
    const ended = await begin('ended');
    // As a lifecycle rule of the backing store ends it, behind the gateway's back.
    const names = new StagedParts(backing);
    await backing.client.send(
      new AbortMultipartUploadCommand({ ...backing.object(BUCKET, 'ended'), UploadId: ended }),
      { signal, bucket: BUCKET },
    );
    const sweep = () => new Sweep(backing, new UploadRecords(backing), names);
    await sweep().due(BUCKET);
    expect(await names.folders(BUCKET, signal)).toHaveLength(2);
    await sweep().due(BUCKET, Date.now() + TWO_DAYS_MS);
    expect(await names.folders(BUCKET, signal)).toHaveLength(1);
    expect((await names.list(BUCKET, live, signal)).map(({ partNumber }) => partNumber)).toEqual([1]);
  });
});
