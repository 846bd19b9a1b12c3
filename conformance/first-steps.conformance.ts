/** The README's tour and the promises of the first slice, with the real aws command line, on every store. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeContainer, readContainerHeader, readNpy } from '../codec/index.js';
import { filesystemBackend, versitygwBackend, type Backend } from './support/backends.js';
import { GatewayProcess } from './support/gateway-process.js';
import { mustRun, runCommand } from './support/run-command.js';

const samples = fileURLToPath(new URL('../samples/', import.meta.url));
const python = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';

const backends = [
  { name: 'filesystem store', open: filesystemBackend },
  { name: 's3 store over versitygw', open: versitygwBackend },
];
const opened = await Promise.all(backends.map(async ({ name, open }) => ({ name, backend: await open() })));

describe.each(opened)('the first steps on the $name', ({ backend }) => {
  if (!backend) {
    it.skip('needs versitygw in PATH (go install github.com/versity/versitygw/cmd/versitygw)');
    return;
  }
  let gateway: GatewayProcess;
  let files: string;
  const aws = (...args: string[]) => mustRun('aws', args, gateway.clientEnvironment);

  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'latentbox-files-'));
    gateway = await GatewayProcess.start(backend);
    await aws('s3', 'mb', 's3://images');
  });
  afterAll(async () => {
    await gateway.stop();
    await backend.close();
    await rm(files, { recursive: true, force: true });
  });

  it('stores a latent and gives a PNG back that opens and shows more than one colour', async () => {
    await aws('s3', 'cp', join(samples, 'cat.npy'), 's3://images/cat.png');
    await aws('s3', 'cp', 's3://images/cat.png', join(files, 'cat.png'));
    const { width, height, format } = await sharp(join(files, 'cat.png')).metadata();
    const shape = readNpy(await readFile(join(samples, 'cat.npy'))).shape;
    expect({ format, width, height }).toEqual({
      format: 'png',
      width: (shape.at(-1) ?? 0) * 8,
      height: (shape.at(-2) ?? 0) * 8,
    });
    const { channels } = await sharp(join(files, 'cat.png')).stats();
    for (const { stdev } of channels) expect(stdev).toBeGreaterThan(10);
  });

  it("lists and heads the PNG's size and ETag, which are those of GET", async () => {
    const { size } = await stat(join(files, 'cat.png'));
    expect(await aws('s3', 'ls', 's3://images/')).toMatch(new RegExp(`\\s${size} cat\\.png`));
    const head = JSON.parse(await aws('s3api', 'head-object', '--bucket', 'images', '--key', 'cat.png')) as Record<
      string,
      unknown
    >;
    const got = JSON.parse(
      await aws('s3api', 'get-object', '--bucket', 'images', '--key', 'cat.png', join(files, 'again.png')),
    ) as Record<string, unknown>;
    const listed = JSON.parse(await aws('s3api', 'list-objects-v2', '--bucket', 'images')) as {
      Contents: { ETag: string }[];
    };
    expect(head).toMatchObject({ ContentLength: size, ContentType: 'image/png', ETag: got['ETag'] });
    expect(listed.Contents[0]?.ETag).toBe(got['ETag']);
    expect(await readFile(join(files, 'again.png'))).toEqual(await readFile(join(files, 'cat.png')));
  });

  it('answers a Range with the slice', async () => {
    const got = JSON.parse(
      await aws(
        's3api',
        'get-object',
        '--bucket',
        'images',
        '--key',
        'cat.png',
        '--range',
        'bytes=100-299',
        join(files, 'slice'),
      ),
    ) as Record<string, unknown>;
    const whole = await readFile(join(files, 'cat.png'));
    expect(got['ContentRange']).toBe(`bytes 100-299/${whole.byteLength}`);
    expect(await readFile(join(files, 'slice'))).toEqual(whole.subarray(100, 300));
  });

  it('serves a presigned URL to a client without credentials', async () => {
    const url = (await aws('s3', 'presign', 's3://images/cat.png')).trim();
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('x-lbx-storage')).toBe('latent');
    expect(response.headers.get('x-lbx-outcome')).toMatch(/^(image-hit|latent-hit)$/);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(await readFile(join(files, 'cat.png')));
  });

  it('keeps a text file and a 20 MB file byte for byte, the latter in parts', async () => {
    const text = 'plain text\n';
    const big = randomBytes(20 << 20);
    await writeFile(join(files, 'a.txt'), text);
    await writeFile(join(files, 'big.bin'), big);
    await aws('s3', 'cp', join(files, 'a.txt'), 's3://images/notes/a.txt');
    await aws('s3', 'cp', join(files, 'big.bin'), 's3://images/big.bin');
    await aws('s3', 'cp', 's3://images/notes/a.txt', join(files, 'a.back'));
    await aws('s3', 'cp', 's3://images/big.bin', join(files, 'big.back'));
    expect(await readFile(join(files, 'a.back'), 'utf8')).toBe(text);
    expect((await readFile(join(files, 'big.back'))).equals(big)).toBe(true);
    const head = JSON.parse(await aws('s3api', 'head-object', '--bucket', 'images', '--key', 'big.bin')) as {
      ETag: string;
    };
    expect(head.ETag).toMatch(/-\d+"$/);
  });

  it('keeps a PNG byte for byte', async () => {
    await aws('s3', 'cp', join(samples, 'coffee.png'), 's3://images/coffee.png');
    await aws('s3', 'cp', 's3://images/coffee.png', join(files, 'coffee.back'));
    expect(await readFile(join(files, 'coffee.back'))).toEqual(await readFile(join(samples, 'coffee.png')));
  });

  it('stores a container whose payload official pcodec decodes to the very bytes of the latent', async () => {
    const stored = await storedObject(backend, 'images', 'cat.png');
    const header = readContainerHeader(stored);
    const uploaded = readNpy(await readFile(join(samples, 'cat.npy')));
    const payload = stored.subarray(header.payloadOffset, header.payloadOffset + header.payloadLength);
    expect(Buffer.from(payload.subarray(0, 4)).toString('latin1')).toBe('pco!');
    await writeFile(join(files, 'payload.pco'), payload);
    const program =
      'import sys, hashlib; from pcodec import standalone; print(hashlib.sha256(standalone.simple_decompress(open(sys.argv[1], "rb").read()).tobytes()).hexdigest())';
    const digest = (
      await mustRun(python, ['-c', program, join(files, 'payload.pco')], { PATH: process.env['PATH'] ?? '' })
    ).trim();
    expect(digest).toBe(createHash('sha256').update(uploaded.data).digest('hex'));
    expect(Buffer.from(decodeContainer(stored).tensor.data).equals(Buffer.from(uploaded.data))).toBe(true);
  });

  it('gives the same bytes, size and ETag after a restart', async () => {
    const before = await aws('s3api', 'head-object', '--bucket', 'images', '--key', 'cat.png');
    expect(await gateway.stop()).toBe(0);
    gateway = await GatewayProcess.start(backend);
    await aws('s3', 'cp', 's3://images/cat.png', join(files, 'restarted.png'));
    expect(await readFile(join(files, 'restarted.png'))).toEqual(await readFile(join(files, 'cat.png')));
    expect(JSON.parse(await aws('s3api', 'head-object', '--bucket', 'images', '--key', 'cat.png'))).toEqual(
      JSON.parse(before),
    );
  });

  it.each([
    [
      'a corrupt safetensors header',
      Buffer.concat([le64(20), Buffer.from('{"a": not JSON at al')]),
      {},
      'InvalidRequest',
    ],
    ['a declared header of 1 GB', Buffer.concat([le64(1 << 30), Buffer.from('{"latent":{}}')]), {}, 'InvalidRequest'],
    ['a latent whose channels no model has', npy([7, 8, 8]), {}, 'InvalidRequest'],
    ['a truncated .npy', npy([16, 8, 8]).subarray(0, 500), {}, 'InvalidRequest'],
    ['a model that is not installed', npy([16, 8, 8]), { 'lbx-model': 'nobody' }, 'InvalidRequest'],
  ])('refuses %s and stores nothing', async (_what, bytes, metadata, code) => {
    const file = join(files, 'broken');
    await writeFile(file, bytes);
    const extra = Object.keys(metadata).length > 0 ? ['--metadata', JSON.stringify(metadata)] : [];
    const put = await runCommand(
      'aws',
      ['s3api', 'put-object', '--bucket', 'images', '--key', 'broken.png', '--body', file, ...extra],
      gateway.clientEnvironment,
    );
    expect(put.stderr).toContain(`(${code})`);
    const head = await runCommand(
      'aws',
      ['s3api', 'head-object', '--bucket', 'images', '--key', 'broken.png'],
      gateway.clientEnvironment,
    );
    expect(head.stderr).toContain('(404)');
  });

  it('answers wrong keys and wrong signatures with their codes', async () => {
    const missing = await runCommand(
      'aws',
      ['s3api', 'get-object', '--bucket', 'images', '--key', 'nothing', join(files, 'x')],
      gateway.clientEnvironment,
    );
    expect(missing.stderr).toContain('(NoSuchKey)');
    const wrongSecret = await runCommand('aws', ['s3', 'ls', 's3://images'], {
      ...gateway.clientEnvironment,
      AWS_SECRET_ACCESS_KEY: 'wrong',
    });
    expect(wrongSecret.stderr).toContain('SignatureDoesNotMatch');
    const wrongKey = await runCommand('aws', ['s3', 'ls', 's3://images'], {
      ...gateway.clientEnvironment,
      AWS_ACCESS_KEY_ID: 'nobody',
    });
    expect(wrongKey.stderr).toContain('InvalidAccessKeyId');
  });
});

/** What a person finds on the disk: the one file that holds the object's bytes. */
async function storedObject(backend: Backend, bucket: string, key: string): Promise<Buffer> {
  const names = await readdir(join(backend.files, bucket));
  expect(names).toContain(key);
  return readFile(join(backend.files, bucket, key));
}

function le64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** A .npy file of zeros in half precision. */
function npy(shape: readonly number[]): Buffer {
  const dictionary = `{'descr': '<f2', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const header = `${dictionary.padEnd(128 - 10 - 1)}\n`;
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  return Buffer.concat([
    prefix,
    Buffer.from(header, 'latin1'),
    Buffer.alloc(2 * shape.reduce((product, side) => product * side, 1)),
  ]);
}
