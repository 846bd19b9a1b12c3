/** The worked requests of Amazon's Signature Version 4 pages, as they lie on the wire. */
import { Readable } from 'node:stream';
import type { WireHeader, WireRequest } from '../../wire-request.js';
import { staticCredentials } from '../credentials.js';
import type { AuthenticationDeps } from '../types.js';

export const EXAMPLE_CREDENTIAL = {
  name: 'example',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  allow: [{ actions: ['*'], resources: ['*'] }],
};

export const EXAMPLE_TIME = new Date('2013-05-24T00:00:00Z');
export const EXAMPLE_SCOPE = '20130524/us-east-1/s3/aws4_request';
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export function exampleDeps(overrides: Partial<AuthenticationDeps> = {}): AuthenticationDeps {
  return {
    credentials: staticCredentials([EXAMPLE_CREDENTIAL]),
    region: 'us-east-1',
    now: () => EXAMPLE_TIME,
    ...overrides,
  };
}

export function wire(
  method: string,
  target: string,
  headers: readonly WireHeader[],
  body: Iterable<Uint8Array> = [],
): WireRequest {
  const question = target.indexOf('?');
  return {
    method,
    rawPath: question < 0 ? target : target.slice(0, question),
    rawQuery: question < 0 ? '' : target.slice(question + 1),
    headers,
    body: Readable.from(body, { objectMode: false }),
    remoteAddress: undefined,
    secure: false,
  };
}

export function authorization(signedHeaders: string, signature: string, scope = EXAMPLE_SCOPE): string {
  return `AWS4-HMAC-SHA256 Credential=${EXAMPLE_CREDENTIAL.accessKeyId}/${scope},SignedHeaders=${signedHeaders},Signature=${signature}`;
}

const HOST: WireHeader = ['host', 'examplebucket.s3.amazonaws.com'];
const DATE: WireHeader = ['x-amz-date', '20130524T000000Z'];

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
export function getWithRange(overrides: { headers?: readonly WireHeader[]; path?: string } = {}): WireRequest {
  const signature = 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';
  const all: WireHeader[] = [
    HOST,
    ['authorization', authorization('host;range;x-amz-content-sha256;x-amz-date', signature)],
    ['range', 'bytes=0-9'],
    ['x-amz-content-sha256', EMPTY_SHA256],
    DATE,
  ];
  const replaced = new Map(overrides.headers?.map(([name, value]) => [name, value]));
  const known = all.map(([name, value]): WireHeader => [name, replaced.get(name) ?? value]);
  const added = (overrides.headers ?? []).filter(([name]) => !all.some(([each]) => each === name));
  return wire('GET', overrides.path ?? '/test.txt', [...known, ...added]);
}

export function putObject(): WireRequest {
  const names = 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class';
  return wire(
    'PUT',
    '/test$file.text',
    [
      HOST,
      ['date', 'Fri, 24 May 2013 00:00:00 GMT'],
      ['authorization', authorization(names, '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd')],
      DATE,
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ['x-amz-content-sha256', '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'],
      ['content-length', '21'],
    ],
    [Buffer.from('Welcome to Amazon S3.')],
  );
}

export function bucketGet(query: string, signature: string): WireRequest {
  return wire('GET', `/?${query}`, [
    HOST,
    ['authorization', authorization('host;x-amz-content-sha256;x-amz-date', signature)],
    ['x-amz-content-sha256', EMPTY_SHA256],
    DATE,
  ]);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
export function presignedGet(change: (query: string) => string = (query) => query): WireRequest {
  const query =
    'X-Amz-Algorithm=AWS4-HMAC-SHA256' +
    '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
    '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
    '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
  return wire('GET', `/test.txt?${change(query)}`, [HOST]);
}

/** 66,560 letters `a` as the streaming pages send them: chunks of 64 KiB, 1 KiB and nothing. */
function framed(signatures: readonly [string, string, string], trailer: string): Buffer {
  const [first, second, last] = signatures;
  return Buffer.from(
    `10000;chunk-signature=${first}\r\n${'a'.repeat(65_536)}\r\n` +
      `400;chunk-signature=${second}\r\n${'a'.repeat(1024)}\r\n` +
      `0;chunk-signature=${last}\r\n${trailer}\r\n`,
  );
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
export const CHUNKED_BODY = framed(
  [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ],
  '',
);

export function chunkedPut(body: Iterable<Uint8Array> = [CHUNKED_BODY]): WireRequest {
  const names =
    'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class';
  return wire(
    'PUT',
    '/examplebucket/chunkObject.txt',
    [
      ['host', 's3.amazonaws.com'],
      DATE,
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ['authorization', authorization(names, '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9')],
      ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
      ['content-encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', '66560'],
      ['content-length', '66824'],
    ],
    body,
  );
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
export const TRAILER_BODY = framed(
  [
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  ],
  'x-amz-checksum-crc32c:sOO8/Q==\r\n' +
    'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
);

export function trailerPut(body: Iterable<Uint8Array> = [TRAILER_BODY]): WireRequest {
  const names =
    'content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer';
  return wire(
    'PUT',
    '/examplebucket/chunkObject.txt',
    [
      ['host', 's3.amazonaws.com'],
      DATE,
      ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ['authorization', authorization(names, '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e')],
      ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
      ['content-encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', '66560'],
      ['x-amz-trailer', 'x-amz-checksum-crc32c'],
      ['transfer-encoding', 'chunked'],
    ],
    body,
  );
}
