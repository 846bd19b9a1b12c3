/** The aws command line: `aws s3` for files, `aws s3api` where that is what people type. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { mustRun, runCommand } from '../support/run-command.js';
import type { Access, Client, ClientSession, OwnStep } from './client.js';

const listing = z.object({
  Contents: z.array(z.object({ Key: z.string(), Size: z.number() })).default([]),
});
const bucketList = z.object({ Buckets: z.array(z.object({ Name: z.string() })) });
const headOutput = z.object({ ContentType: z.string(), Metadata: z.record(z.string(), z.string()) });

interface AwsCli extends ClientSession {
  readonly s3api: (...args: string[]) => Promise<unknown>;
  readonly environment: Readonly<Record<string, string>>;
}

export const awsCli: Client<AwsCli> = {
  name: 'aws-cli',
  title: 'aws cli',
  source: 'PyPI `awscli`',
  missing: async () => ((await findProgram('aws')) ? undefined : 'aws (PyPI awscli)'),
  open: async (access) => session(access),
  ownSteps: ownSteps(),
};

function session(access: Access): AwsCli {
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: access.home,
    AWS_ENDPOINT_URL: access.endpoint,
    AWS_DEFAULT_REGION: access.region,
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(access.certificateAuthority !== undefined && { AWS_CA_BUNDLE: access.certificateAuthority }),
  };
  const aws = (...args: string[]) => mustRun('aws', args, environment);
  const s3api = async (...args: string[]): Promise<unknown> => {
    const output = await aws('s3api', ...args);
    return output.trim() === '' ? {} : JSON.parse(output);
  };
  return {
    makeBucket: (bucket) => aws('s3', 'mb', `s3://${bucket}`),
    removeBucket: (bucket) => aws('s3', 'rb', `s3://${bucket}`),
    buckets: async () => bucketList.parse(await s3api('list-buckets')).Buckets.map(({ Name }) => Name),
    upload: async (file, bucket, key, { contentType, metadata } = {}) => {
      const options = [
        ...(contentType === undefined ? [] : ['--content-type', contentType]),
        ...(metadata === undefined ? [] : ['--metadata', JSON.stringify(metadata)]),
      ];
      await aws('s3', 'cp', file, uri(bucket, key), ...options);
    },
    download: (bucket, key, file) => aws('s3', 'cp', uri(bucket, key), file),
    list: async (bucket, prefix) =>
      listing
        .parse(await s3api('list-objects-v2', '--bucket', bucket, '--prefix', prefix))
        .Contents.map(({ Key, Size }) => ({ key: Key, size: Size })),
    copy: (bucket, from, to) => aws('s3', 'cp', uri(bucket, from), uri(bucket, to)),
    move: (bucket, from, to) => aws('s3', 'mv', uri(bucket, from), uri(bucket, to)),
    remove: (bucket, key) => aws('s3', 'rm', uri(bucket, key)),
    removeAll: (bucket, prefix) => aws('s3', 'rm', '--recursive', uri(bucket, prefix)),
    readRange: async (bucket, key, start, length) => {
      const file = join(access.home, 'range');
      const range = `bytes=${start}-${start + length - 1}`;
      await s3api('get-object', '--bucket', bucket, '--key', key, '--range', range, file);
      return readFile(file);
    },
    contentTypeAndMetadata: async (bucket, key) => {
      const { ContentType, Metadata } = headOutput.parse(await s3api('head-object', '--bucket', bucket, '--key', key));
      return { contentType: ContentType, metadata: Metadata };
    },
    presignGet: async (bucket, key) => (await aws('s3', 'presign', uri(bucket, key))).trim(),
    syncUp: (folder, bucket, prefix) => aws('s3', 'sync', folder, uri(bucket, prefix)),
    syncDown: (bucket, prefix, folder) => aws('s3', 'sync', uri(bucket, prefix), folder),
    s3api,
    environment,
  };
}

function uri(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}

function ownSteps(): readonly OwnStep<AwsCli>[] {
  return [
    {
      title: 'reads and writes through pipes',
      run: async ({ environment }, { bucket, scratch }) => {
        const file = join(scratch, 'piped');
        await writeFile(file, 'through a pipe\n');
        await mustRun('sh', ['-c', `aws s3 cp - ${uri(bucket, 'piped')} < ${file}`], environment);
        const output = await mustRun('sh', ['-c', `aws s3 cp ${uri(bucket, 'piped')} - | cat`], environment);
        if (output !== 'through a pipe\n') throw new Error(`got ${JSON.stringify(output)}`);
      },
    },
    {
      title: 'overwrites only where the condition holds',
      run: async ({ s3api, environment }, { bucket, scratch }) => {
        const file = join(scratch, 'once');
        await writeFile(file, 'once');
        const put = ['put-object', '--bucket', bucket, '--key', 'once', '--body', file];
        await s3api(...put, '--if-none-match', '*');
        const again = await runCommand('aws', ['s3api', ...put, '--if-none-match', '*'], environment);
        if (!again.stderr.includes('(PreconditionFailed)')) throw new Error(`got ${again.stdout}${again.stderr}`);
      },
    },
    {
      title: 'tags objects and buckets',
      run: async ({ s3api }, { bucket, scratch }) => {
        const file = join(scratch, 'tagged');
        await writeFile(file, 'tagged');
        await s3api('put-object', '--bucket', bucket, '--key', 'tagged', '--body', file, '--tagging', 'team=blue');
        const object = ['--bucket', bucket, '--key', 'tagged'];
        const tags = async () =>
          z
            .object({ TagSet: z.array(z.object({ Key: z.string(), Value: z.string() })) })
            .parse(await s3api('get-object-tagging', ...object)).TagSet;
        const expectTags = async (expected: string) => {
          const found = (await tags()).map(({ Key, Value }) => `${Key}=${Value}`).join('&');
          if (found !== expected) throw new Error(`tags are ${found}`);
        };
        await expectTags('team=blue');
        await s3api('put-object-tagging', ...object, '--tagging', 'TagSet=[{Key=team,Value=red}]');
        await expectTags('team=red');
        await s3api('delete-object-tagging', ...object);
        await s3api('put-bucket-tagging', '--bucket', bucket, '--tagging', 'TagSet=[{Key=cost,Value=1}]');
        await s3api('get-bucket-tagging', '--bucket', bucket);
        await s3api('delete-bucket-tagging', '--bucket', bucket);
      },
    },
    {
      title: 'asks for the settings of a bucket',
      run: async ({ s3api, environment }, { bucket }) => {
        for (const question of ['get-bucket-location', 'get-bucket-acl', 'get-bucket-versioning'])
          await s3api(question, '--bucket', bucket);
        for (const [question, code] of [
          ['get-bucket-policy', 'NoSuchBucketPolicy'],
          ['get-bucket-cors', 'NoSuchCORSConfiguration'],
        ] as const) {
          const { stderr } = await runCommand('aws', ['s3api', question, '--bucket', bucket], environment);
          if (!stderr.includes(`(${code})`)) throw new Error(`${question}: ${stderr}`);
        }
      },
    },
  ];
}
