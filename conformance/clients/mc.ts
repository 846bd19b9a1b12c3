/** MinIO's `mc`, with the gateway as an alias. */
import { cp, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KEEPS_PATH_LIKE_KEYS } from '../scenario/keys.js';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { NOTHING_TO_SEND_BACK } from '../scenario/folders.js';
import { mustRun } from '../support/run-command.js';
import type { Access, Client, ClientSession } from './client.js';

const entry = z.object({ key: z.string(), size: z.number(), type: z.enum(['file', 'folder']) });
const statEntry = z.object({ metadata: z.record(z.string(), z.string()) });
const shared = z.object({ share: z.string() });

interface Mc extends ClientSession {
  readonly mc: (...args: string[]) => Promise<string>;
}

export const mc: Client<Mc> = {
  name: 'mc',
  title: 'mc',
  source: 'Go module `github.com/minio/mc`',
  missing: async () => ((await findProgram('mc')) ? undefined : 'mc (go install github.com/minio/mc)'),
  open: session,
  cannotDo: {
    [KEEPS_PATH_LIKE_KEYS]: 'it cleans paths',
    [NOTHING_TO_SEND_BACK]: 'it gives downloads the time of the download, which is then newer than the object',
  },
  ownSteps: [
    {
      title: 'tags an object and describes it',
      run: async ({ mc }, { bucket, scratch }) => {
        await writeFile(join(scratch, 'tagged'), 'tagged');
        await mc('cp', join(scratch, 'tagged'), `gateway/${bucket}/tagged`);
        await mc('tag', 'set', `gateway/${bucket}/tagged`, 'team=blue');
        const tags = await mc('tag', 'list', `gateway/${bucket}/tagged`);
        if (!tags.includes('blue')) throw new Error(tags);
        await mc('tag', 'remove', `gateway/${bucket}/tagged`);
        await mc('stat', `gateway/${bucket}/tagged`);
      },
    },
    {
      title: 'sees no difference after a mirror, and sees one after a change',
      run: async ({ mc }, { bucket, scratch }) => {
        await writeFile(join(scratch, 'one'), 'first');
        // S3 keeps whole seconds: a file of this very second would look newer than its upload.
        await utimes(join(scratch, 'one'), 1_000_000_000, 1_000_000_000);
        await mc('mirror', scratch, `gateway/${bucket}/mirrored`);
        const same = await mc('diff', scratch, `gateway/${bucket}/mirrored`);
        if (same.trim() !== '') throw new Error(same);
        await writeFile(join(scratch, 'two'), 'second');
        const differs = await mc('diff', scratch, `gateway/${bucket}/mirrored`);
        if (!differs.includes('two')) throw new Error('mc diff sees no difference');
      },
    },
  ],
};

async function session(access: Access): Promise<Mc> {
  const program = (await findProgram('mc')) ?? 'mc';
  const folder = join(access.home, '.mc');
  if (access.certificateAuthority !== undefined) {
    await mkdir(join(folder, 'certs/CAs'), { recursive: true });
    await cp(access.certificateAuthority, join(folder, 'certs/CAs/gateway.pem'));
  }
  const environment = { PATH: process.env['PATH'] ?? '', HOME: access.home };
  const mc = (...args: string[]) =>
    mustRun(program, ['--config-dir', folder, '--disable-pager', '--json', ...args], environment);
  await mc('alias', 'set', 'gateway', access.endpoint, access.accessKeyId, access.secretAccessKey, '--api', 'S3v4');
  const at = (bucket: string, key: string) => `gateway/${bucket}/${key}`;
  return {
    mc,
    makeBucket: (bucket) => mc('mb', `gateway/${bucket}`),
    removeBucket: (bucket) => mc('rb', `gateway/${bucket}`),
    buckets: async () => entries(await mc('ls', 'gateway')).map(({ key }) => key.replace(/\/$/, '')),
    upload: (file, bucket, key, { contentType, metadata = {} } = {}) => {
      const attributes = Object.entries(metadata).map(([name, value]) => `${name}=${value}`);
      if (contentType !== undefined) attributes.push(`Content-Type=${contentType}`);
      return mc('cp', ...(attributes.length > 0 ? ['--attr', attributes.join(';')] : []), file, at(bucket, key));
    },
    download: (bucket, key, file) => mc('cp', at(bucket, key), file),
    list: async (bucket, prefix) => {
      const objects = entries(await mc('ls', '--recursive', `gateway/${bucket}/`));
      return objects.filter(({ key }) => key.startsWith(prefix)).map(({ key, size }) => ({ key, size }));
    },
    copy: (bucket, from, to) => mc('cp', at(bucket, from), at(bucket, to)),
    move: (bucket, from, to) => mc('mv', at(bucket, from), at(bucket, to)),
    remove: (bucket, key) => mc('rm', at(bucket, key)),
    removeAll: (bucket, prefix) => mc('rm', '--recursive', '--force', at(bucket, prefix)),
    readRange: async (bucket, key, start, length) => {
      const file = join(access.home, 'range');
      const command = `'${program}' --config-dir '${folder}' cat --offset ${start} '${at(bucket, key)}' | head -c ${length} > '${file}'`;
      await mustRun('sh', ['-c', command], environment);
      return readFile(file);
    },
    contentTypeAndMetadata: async (bucket, key) => {
      const { metadata } = statEntry.parse(JSON.parse(await mc('stat', at(bucket, key))));
      const own = Object.entries(metadata).flatMap(([name, value]) =>
        /^x-amz-meta-/i.test(name) ? [[name.slice('x-amz-meta-'.length).toLowerCase(), value] as const] : [],
      );
      return { contentType: metadata['Content-Type'] ?? '', metadata: Object.fromEntries(own) };
    },
    presignGet: async (bucket, key) =>
      shared.parse(JSON.parse(await mc('share', 'download', '--expire', '5m', at(bucket, key)))).share,
    syncUp: (folder_, bucket, prefix) => mc('mirror', '--overwrite', folder_, at(bucket, prefix)),
    syncDown: (bucket, prefix, folder_) => mc('mirror', '--overwrite', at(bucket, prefix), folder_),
  };
}

/** One JSON document a line. */
function entries(output: string): readonly z.output<typeof entry>[] {
  const lines = output.split('\n').filter((line) => line !== '');
  return lines.map((line) => entry.parse(JSON.parse(line)));
}
