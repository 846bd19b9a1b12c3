/** s3cmd with a configuration file for a gateway with path-style addresses. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { mustRun } from '../support/run-command.js';
import type { Access, Client, ClientSession } from './client.js';

interface S3cmd extends ClientSession {
  readonly s3cmd: (...args: string[]) => Promise<string>;
}

export const s3cmd: Client<S3cmd> = {
  name: 's3cmd',
  title: 's3cmd',
  source: 'Debian `s3cmd`',
  missing: async () => ((await findProgram('s3cmd')) ? undefined : 's3cmd'),
  open: session,
  ownSteps: [
    {
      title: 'describes an object and its bucket',
      run: async ({ s3cmd }, { bucket }) => {
        const object = await s3cmd('info', `s3://${bucket}/pictures/cat.png`);
        if (!object.includes('image/png')) throw new Error(object);
        const described = await s3cmd('info', `s3://${bucket}`);
        if (!described.includes('Location')) throw new Error(described);
      },
    },
    {
      title: 'changes the content type in place',
      run: async ({ s3cmd }, { bucket, scratch }) => {
        const file = join(scratch, 'plain');
        await writeFile(file, 'plain');
        await s3cmd('put', file, `s3://${bucket}/modified`);
        await s3cmd('modify', '--mime-type=text/x-modified', `s3://${bucket}/modified`);
        const object = await s3cmd('info', `s3://${bucket}/modified`);
        if (!object.includes('text/x-modified')) throw new Error(object);
      },
    },
    {
      title: 'sets and deletes the CORS rules and the policy of a bucket',
      run: async ({ s3cmd }, { bucket, scratch }) => {
        const cors = join(scratch, 'cors.xml');
        await writeFile(
          cors,
          '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>',
        );
        await s3cmd('setcors', cors, `s3://${bucket}`);
        await s3cmd('delcors', `s3://${bucket}`);
        await s3cmd('delpolicy', `s3://${bucket}`);
      },
    },
  ],
};

async function session(access: Access): Promise<S3cmd> {
  const config = join(access.home, '.s3cfg');
  const { host, protocol } = new URL(access.endpoint);
  await writeFile(
    config,
    `[default]
access_key = ${access.accessKeyId}
secret_key = ${access.secretAccessKey}
host_base = ${host}
host_bucket = ${host}
bucket_location = ${access.region}
signurl_use_https = ${protocol === 'https:' ? 'True' : 'False'}
use_https = ${protocol === 'https:' ? 'True' : 'False'}
ca_certs_file = ${access.certificateAuthority ?? ''}
multipart_chunk_size_mb = 5
progress_meter = False
`,
  );
  const environment = { PATH: process.env['PATH'] ?? '', HOME: access.home, LC_ALL: 'C.UTF-8' };
  const s3cmd = (...args: string[]) => mustRun('s3cmd', ['--config', config, ...args], environment);
  const uri = (bucket: string, key: string) => `s3://${bucket}/${key}`;
  return {
    s3cmd,
    makeBucket: (bucket) => s3cmd('mb', `s3://${bucket}`),
    removeBucket: (bucket) => s3cmd('rb', `s3://${bucket}`),
    buckets: async () => [...(await s3cmd('ls')).matchAll(/s3:\/\/(\S+)$/gm)].map(([, name = '']) => name),
    upload: (file, bucket, key, { contentType, metadata = {} } = {}) =>
      s3cmd(
        'put',
        ...(contentType === undefined ? [] : [`--mime-type=${contentType}`]),
        ...Object.entries(metadata).map(([name, value]) => `--add-header=x-amz-meta-${name}:${value}`),
        file,
        uri(bucket, key),
      ),
    download: (bucket, key, file) => s3cmd('get', '--force', uri(bucket, key), file),
    list: async (bucket, prefix) => {
      const lines = await s3cmd('ls', '--recursive', uri(bucket, prefix));
      const start = `s3://${bucket}/`;
      return [...lines.matchAll(/^\S+ +\S+ +(\d+) +(s3:\/\/.*)$/gm)].map(([, size = '', name = '']) => ({
        key: name.slice(start.length),
        size: Number(size),
      }));
    },
    copy: (bucket, from, to) => s3cmd('cp', uri(bucket, from), uri(bucket, to)),
    move: (bucket, from, to) => s3cmd('mv', uri(bucket, from), uri(bucket, to)),
    remove: (bucket, key) => s3cmd('del', uri(bucket, key)),
    removeAll: (bucket, prefix) => s3cmd('del', '--recursive', '--force', uri(bucket, prefix)),
    presignGet: async (bucket, key) => (await s3cmd('signurl', uri(bucket, key), '+300')).trim(),
    syncUp: (folder, bucket, prefix) => s3cmd('sync', `${folder}/`, uri(bucket, `${prefix}/`)),
    syncDown: (bucket, prefix, folder) => s3cmd('sync', uri(bucket, `${prefix}/`), `${folder}/`),
  };
}
