/** boto3: its transfer manager, resources, waiters, paginators, presigned URLs and forms. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { JsonProcess } from '../support/json-process.js';
import { runCommand } from '../support/run-command.js';
import type { Access, Client, ClientSession } from './client.js';

const python = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';
const program = fileURLToPath(new URL('boto3_session.py', import.meta.url));
const path = { PATH: process.env['PATH'] ?? '' };

interface Boto3 extends ClientSession {
  /** One of the functions of boto3_session.py. */
  readonly call: (operation: string, parameters: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

export const boto3: Client<Boto3> = {
  name: 'boto3',
  title: 'boto3',
  source: 'PyPI `boto3`',
  missing: async () => {
    const { status } = await runCommand(python, ['-c', 'import boto3'], path).catch(() => ({ status: 1 }));
    return status === 0 ? undefined : 'PyPI boto3 in LATENTBOX_TEST_PYTHON';
  },
  open: async (access) => session(access),
  ownSteps: [
    {
      title: 'uploads a stream in parts and reads it back',
      run: ({ call }, { bucket }) => call('upload_stream', { bucket, key: 'stream', megabytes: 18 }),
    },
    {
      title: 'signs a form that a page posts',
      run: ({ call }, { bucket }) =>
        call('post_form', { bucket, prefix: 'forms/', name: 'note.txt', text: 'from a form' }),
    },
    {
      title: 'uploads with each checksum and finds it again',
      run: ({ call }, { bucket }) => call('checksums', { bucket, key: 'checked' }),
    },
    {
      title: 'writes, reads and deletes under conditions',
      run: ({ call }, { bucket }) => call('conditions', { bucket, key: 'conditional' }),
    },
    {
      title: 'builds an upload by hand, from a copied part too',
      run: ({ call }, { bucket }) => call('uploads', { bucket, key: 'by-hand' }),
    },
    {
      title: 'lists and deletes versions of a bucket without versioning',
      run: ({ call }, { bucket }) => call('versions', { bucket }),
    },
  ],
};

const headSchema = z.object({ contentType: z.string(), metadata: z.record(z.string(), z.string()) });

function session({ home, ...access }: Access): Boto3 {
  const child = new JsonProcess(python, [program, JSON.stringify(access)], { ...path, HOME: home });
  const presign = async (method: string, bucket: string, key: string) =>
    z.string().parse(await child.call('presign', { method, bucket, key }));
  return {
    makeBucket: (bucket) => child.call('make_bucket', { bucket }),
    removeBucket: (bucket) => child.call('remove_bucket', { bucket }),
    buckets: async () => z.array(z.string()).parse(await child.call('buckets')),
    upload: (file, bucket, key, { contentType, metadata } = {}) =>
      child.call('upload', { file, bucket, key, contentType, metadata }),
    download: (bucket, key, file) => child.call('download', { bucket, key, file }),
    list: async (bucket, prefix) =>
      z
        .array(z.object({ key: z.string(), size: z.number() }))
        .parse(await child.call('list_objects', { bucket, prefix })),
    copy: (bucket, source, to) => child.call('copy', { bucket, source, to }),
    remove: (bucket, key) => child.call('remove', { bucket, key }),
    removeAll: (bucket, prefix) => child.call('remove_all', { bucket, prefix }),
    readRange: async (bucket, key, start, length) =>
      Buffer.from(z.string().parse(await child.call('read_range', { bucket, key, start, length })), 'hex'),
    contentTypeAndMetadata: async (bucket, key) => headSchema.parse(await child.call('head', { bucket, key })),
    presignGet: (bucket, key) => presign('get_object', bucket, key),
    presignPut: (bucket, key) => presign('put_object', bucket, key),
    call: (operation, parameters) => child.call(operation, parameters),
    close: () => child.close(),
  };
}
