/** The AWS SDK for Go v2, with its transfer manager, paginators, waiters and presigner (clients/go). */
import { z } from 'zod';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { JsonProcess } from '../support/json-process.js';
import type { Access, Client, ClientSession } from './client.js';

const PROGRAM = 'latentbox-conformance-go';

interface AwsSdkGo extends ClientSession {
  /** One of the operations of clients/go/main.go. */
  readonly call: (operation: string, parameters: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

export const awsSdkGo: Client<AwsSdkGo> = {
  name: 'aws-sdk-go',
  title: 'AWS SDK for Go v2',
  source: 'Go modules `aws-sdk-go-v2/service/s3`, `feature/s3/manager`',
  missing: async () => ((await findProgram(PROGRAM)) ? undefined : `${PROGRAM} (go build in conformance/clients/go)`),
  open: session,
  ownSteps: [
    {
      title: 'uploads streams with each checksum and verifies them on the way back',
      run: ({ call }, { bucket }) => call('checksums', { bucket }),
    },
    {
      title: 'gets typed errors',
      run: ({ call }, { bucket }) => call('errors', { bucket }),
    },
  ],
};

const objectsSchema = z.array(z.object({ key: z.string(), size: z.number() }));
const descriptionSchema = z.object({ contentType: z.string(), metadata: z.record(z.string(), z.string()) });

async function session(access: Access): Promise<AwsSdkGo> {
  const child = new JsonProcess((await findProgram(PROGRAM)) ?? PROGRAM, [], {
    HOME: access.home,
    AWS_ENDPOINT_URL: access.endpoint,
    AWS_REGION: access.region,
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(access.certificateAuthority !== undefined && { AWS_CA_BUNDLE: access.certificateAuthority }),
  });
  const call: AwsSdkGo['call'] = (operation, parameters) => child.call(operation, parameters);
  const text = async (operation: string, bucket: string, key: string) =>
    z.string().parse(await call(operation, { bucket, key }));
  return {
    call,
    makeBucket: (bucket) => call('makeBucket', { bucket }),
    removeBucket: (bucket) => call('removeBucket', { bucket }),
    buckets: async () => z.array(z.string()).parse(await call('buckets', {})),
    upload: (file, bucket, key, { contentType, metadata } = {}) =>
      call('upload', { file, bucket, key, contentType, metadata }),
    download: (bucket, key, file) => call('download', { bucket, key, file }),
    list: async (bucket, prefix) => objectsSchema.parse(await call('list', { bucket, prefix })),
    copy: (bucket, key, to) => call('copy', { bucket, key, to }),
    remove: (bucket, key) => call('remove', { bucket, key }),
    removeAll: (bucket, prefix) => call('removeAll', { bucket, prefix }),
    readRange: async (bucket, key, start, length) => {
      const content = await call('readRange', { bucket, key, start, length });
      return Buffer.from(z.string().parse(content), 'hex');
    },
    contentTypeAndMetadata: async (bucket, key) => descriptionSchema.parse(await call('describe', { bucket, key })),
    presignGet: (bucket, key) => text('presignGet', bucket, key),
    presignPut: (bucket, key) => text('presignPut', bucket, key),
    close: () => child.close(),
  };
}
