/** rclone with its "Other" S3 provider: what its users have in their configuration for a gateway. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FAILS_ON_NOTHING } from '../scenario/objects.js';
import { KEEPS_PATH_LIKE_KEYS } from '../scenario/keys.js';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { mustRun } from '../support/run-command.js';
import type { Access, Client, ClientSession } from './client.js';

const listing = z.array(z.object({ Path: z.string(), Size: z.number(), IsDir: z.boolean() }));

interface Rclone extends ClientSession {
  readonly rclone: (...args: string[]) => Promise<string>;
}

export const rclone: Client<Rclone> = {
  name: 'rclone',
  title: 'rclone',
  source: 'Debian `rclone`',
  missing: async () => ((await findProgram('rclone')) ? undefined : 'rclone'),
  open: session,
  cannotDo: {
    [KEEPS_PATH_LIKE_KEYS]: 'its paths are clean: no empty names, no `.` and `..`',
    [FAILS_ON_NOTHING]: 'an absent source is an empty folder to it',
  },
  note: 'it compares sizes after an upload, so latents need `--ignore-size`',
  ownSteps: [
    {
      title: 'checks a folder against what it uploaded, by size and hash',
      run: async ({ rclone }, { bucket, scratch }) => {
        await writeFile(join(scratch, 'one'), 'first');
        await writeFile(join(scratch, 'two'), 'second');
        await rclone('copy', scratch, `gateway:${bucket}/checked`);
        await rclone('check', scratch, `gateway:${bucket}/checked`);
        await rclone('check', '--download', scratch, `gateway:${bucket}/checked`);
        await writeFile(join(scratch, 'two'), 'changed');
        const differs = await rclone('check', scratch, `gateway:${bucket}/checked`).then(
          () => false,
          () => true,
        );
        if (!differs) throw new Error('rclone check sees no difference');
      },
    },
    {
      title: 'checks a prefix of latents against its own download',
      run: async ({ rclone }, { bucket, scratch }) => {
        await rclone('copy', `gateway:${bucket}/pictures`, scratch);
        await rclone('check', scratch, `gateway:${bucket}/pictures`);
      },
    },
  ],
};

async function session(access: Access): Promise<Rclone> {
  const config = join(access.home, 'rclone.conf');
  await writeFile(
    config,
    `[gateway]
type = s3
provider = Other
access_key_id = ${access.accessKeyId}
secret_access_key = ${access.secretAccessKey}
endpoint = ${access.endpoint}
region = ${access.region}
upload_cutoff = 5M
chunk_size = 5M
`,
  );
  const environment = { PATH: process.env['PATH'] ?? '', HOME: access.home };
  const trust = access.certificateAuthority === undefined ? [] : ['--ca-cert', access.certificateAuthority];
  const rclone = (...args: string[]) =>
    mustRun('rclone', ['--config', config, '--retries', '1', ...trust, ...args], environment);
  const at = (bucket: string, key: string) => `gateway:${bucket}/${key}`;
  const lsjson = async (path: string, ...options: string[]) =>
    listing.parse(JSON.parse(await rclone('lsjson', path, ...options)));
  return {
    rclone,
    makeBucket: (bucket) => rclone('mkdir', `gateway:${bucket}`),
    removeBucket: (bucket) => rclone('rmdir', `gateway:${bucket}`),
    buckets: async () => (await lsjson('gateway:')).map(({ Path }) => Path),
    upload: (file, bucket, key, { becomesPng } = {}) =>
      rclone('copyto', ...(becomesPng ? ['--ignore-size'] : []), file, at(bucket, key)),
    download: (bucket, key, file) => rclone('copyto', at(bucket, key), file),
    list: async (bucket, prefix) => {
      const objects = await lsjson(`gateway:${bucket}`, '--recursive', '--files-only', '--no-mimetype', '--no-modtime');
      return objects.filter(({ Path }) => Path.startsWith(prefix)).map(({ Path, Size }) => ({ key: Path, size: Size }));
    },
    copy: (bucket, from, to) => rclone('copyto', at(bucket, from), at(bucket, to)),
    move: (bucket, from, to) => rclone('moveto', at(bucket, from), at(bucket, to)),
    remove: (bucket, key) => rclone('deletefile', at(bucket, key)),
    removeAll: (bucket, prefix) => rclone('delete', at(bucket, prefix)),
    readRange: async (bucket, key, start, length) => {
      const file = join(access.home, 'range');
      const command = `rclone --config ${config} ${trust.join(' ')} cat --offset ${start} --count ${length} '${at(bucket, key)}' > ${file}`;
      await mustRun('sh', ['-c', command], environment);
      return readFile(file);
    },
    presignGet: async (bucket, key) => (await rclone('link', '--expire', '5m', at(bucket, key))).trim(),
    syncUp: (folder, bucket, prefix) => rclone('sync', folder, at(bucket, prefix)),
    syncDown: (bucket, prefix, folder) => rclone('sync', at(bucket, prefix), folder),
  };
}
