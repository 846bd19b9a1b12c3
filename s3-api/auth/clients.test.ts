/** Requests of the real AWS SDK, captured on a loopback server, authenticated and decoded as the gateway does it. */
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRequestBody } from '../body/decode-request-body.js';
import { S3Error } from '../errors.js';
import { wireRequestFrom } from '../wire-request.js';
import { authenticate } from './authenticate.js';
import { staticCredentials } from './credentials.js';
import type { AuthenticatedRequest } from './types.js';

const TOKEN = 'session-token';
const SECRET = 'secret/with+signs';
const credentials = staticCredentials([
  { name: 'sdk', accessKeyId: 'SDKKEY', secretAccessKey: SECRET, allow: [] },
  { name: 'temporary', accessKeyId: 'TEMPKEY', secretAccessKey: SECRET, sessionToken: TOKEN, allow: [] },
]);

interface Seen {
  readonly authenticated: AuthenticatedRequest;
  readonly bytes: Buffer;
  readonly checksum: string | undefined;
}

const seen: Seen[] = [];
let server: Server;
let endpoint: string;

async function take(incoming: IncomingMessage): Promise<void> {
  const request = wireRequestFrom(incoming);
  const authenticated = await authenticate(request, { credentials, region: 'us-east-1' });
  const { body, checksum } = decodeRequestBody(request, authenticated);
  const bytes = await buffer(body);
  seen.push({ authenticated, bytes, checksum: checksum && `${checksum.algorithm} ${checksum.value() ?? ''}` });
}

beforeAll(async () => {
  server = createServer((incoming, response) => {
    take(incoming).then(
      () => response.end('<ListBucketResult/>'),
      (error: unknown) => {
        response.statusCode = error instanceof S3Error ? error.status : 500;
        response.end(`<Error><Code>${error instanceof S3Error ? error.code : String(error)}</Code></Error>`);
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function client(
  overrides: Partial<{ accessKeyId: string; secretAccessKey: string; sessionToken: string }> = {},
): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'SDKKEY', secretAccessKey: SECRET, ...overrides },
  });
}

function last(): Seen {
  const latest = seen.at(-1);
  if (latest === undefined) throw new Error('the server saw no request');
  return latest;
}

/** GETs the URL as it is: `fetch` would resolve `..` first, which no signature survives. */
async function statusOf(url: string): Promise<number | undefined> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port: new URL(url).port, path: url.slice(endpoint.length) }, resolve).once(
      'error',
      reject,
    );
  });
  response.resume();
  return response.statusCode;
}

const ODD_KEYS = [
  'plain.txt',
  'a b+c%2Fd',
  'ünïcode/漢字 😀',
  '../up/./here//twice',
  "q?u=e&r#y!*'()",
  '/leading',
  '~tilde',
];

describe('the AWS SDK for JavaScript', () => {
  it.each(ODD_KEYS)('puts a buffer under %j', async (Key) => {
    await client().send(new PutObjectCommand({ Bucket: 'b', Key, Body: 'content', Metadata: { note: 'a  b' } }));
    expect(last().bytes.toString()).toBe('content');
    expect(last().authenticated).toMatchObject({ credentialName: 'sdk', method: 'header' });
    expect(last().checksum).toMatch(/^CRC32 .{8}$/);
  });

  it('puts a stream, in chunks with a trailing checksum', async () => {
    const Body = Readable.from([Buffer.alloc(70_000, 1), Buffer.alloc(5, 2)]);
    await client().send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body, ContentLength: 70_005 }));
    expect(last().authenticated.payload).toEqual({ kind: 'streaming', signed: false, trailer: true });
    expect(last().bytes).toHaveLength(70_005);
  });

  it.each(['CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('puts with %s', async (ChecksumAlgorithm) => {
    await client().send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'content', ChecksumAlgorithm }));
    expect(last().checksum).toMatch(new RegExp(`^${ChecksumAlgorithm} .+=$`));
  });

  it('lists with a query that needs escapes', async () => {
    await client().send(new ListObjectsV2Command({ Bucket: 'b', Prefix: "a b/+é&='", Delimiter: '/' }));
    expect(last().authenticated.method).toBe('header');
  });

  it('uses a session token', async () => {
    await client({ accessKeyId: 'TEMPKEY', sessionToken: TOKEN }).send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }));
    expect(last().authenticated.credentialName).toBe('temporary');
  });

  it('is refused with a wrong secret', async () => {
    await expect(
      client({ secretAccessKey: 'wrong' }).send(new ListObjectsV2Command({ Bucket: 'b' })),
    ).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  it.each(ODD_KEYS)('presigns a GET of %j', async (Key) => {
    const url = await getSignedUrl(client(), new GetObjectCommand({ Bucket: 'b', Key }), { expiresIn: 60 });
    expect(await statusOf(url)).toBe(200);
    expect(last().authenticated.method).toBe('query');
  });

  it('presigns a PUT', async () => {
    const url = await getSignedUrl(client(), new PutObjectCommand({ Bucket: 'b', Key: 'k' }), { expiresIn: 60 });
    expect((await fetch(url, { method: 'PUT', body: 'from a page' })).status).toBe(200);
    expect(last().bytes.toString()).toBe('from a page');
  });

  it('presigns with a session token, which a changed one breaks', async () => {
    const temporary = client({ accessKeyId: 'TEMPKEY', sessionToken: TOKEN });
    const url = await getSignedUrl(temporary, new GetObjectCommand({ Bucket: 'b', Key: 'k' }), { expiresIn: 60 });
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url.replace(TOKEN, 'session-tokem'))).status).toBe(400);
  });
});
