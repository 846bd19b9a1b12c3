import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authenticate } from '../auth/authenticate.js';
import { signTrailer } from '../auth/signature.js';
import { CHUNKED_BODY, chunkedPut, exampleDeps, TRAILER_BODY, trailerPut, wire } from '../auth/testing/aws-examples.js';
import type { AuthenticatedRequest, PayloadDeclaration } from '../auth/types.js';
import { createHasher, type DigestAlgorithm } from '../checksums/index.js';
import type { S3ErrorCode } from '../errors.js';
import type { WireHeader, WireRequest } from '../wire-request.js';
import { decodeRequestBody, storedContentEncoding } from './decode-request-body.js';
import type { BodyLimits } from './types.js';

const HELLO = Buffer.from('hello latent world');
const UNSIGNED: PayloadDeclaration = { kind: 'unsigned' };
const UNSIGNED_TRAILER: PayloadDeclaration = { kind: 'streaming', signed: false, trailer: true };

function digest(algorithm: DigestAlgorithm, bytes: Uint8Array): string {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest().toString('base64');
}

function by(payload: PayloadDeclaration): AuthenticatedRequest {
  return {
    principal: { name: 'tester', allow: [] },
    accessKeyId: undefined,
    credentialName: 'tester',
    method: 'anonymous',
    payload,
  };
}

function put(headers: readonly WireHeader[], body: Uint8Array | Iterable<Uint8Array>): WireRequest {
  return wire('PUT', '/b/k', headers, body instanceof Uint8Array ? [body] : body);
}

function plain(headers: readonly WireHeader[] = [], body: Uint8Array = HELLO): WireRequest {
  return put([['content-length', String(HELLO.length)], ...headers], body);
}

function chunked(text: string, headers: readonly WireHeader[] = []): WireRequest {
  const decoded: WireHeader = ['x-amz-decoded-content-length', String(HELLO.length)];
  return put([decoded, ...headers], Buffer.from(text, 'latin1'));
}

async function decode(request: WireRequest, payload = UNSIGNED, limits: BodyLimits = {}): Promise<Buffer> {
  return buffer(decodeRequestBody(request, by(payload), limits).body);
}

/** Cuts bytes at the given places, in whatever order they are. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const sorted = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  return [0, ...sorted]
    .map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length))
    .filter((b) => b.length);
}

async function expectFault(body: Promise<unknown>, code: S3ErrorCode, message?: RegExp): Promise<void> {
  await expect(body).rejects.toMatchObject({
    code,
    ...(message === undefined ? {} : { message: expect.stringMatching(message) as string }),
  });
}

describe('plain bodies', () => {
  it('pass through without a copy', async () => {
    const slices: Buffer[] = [];
    for await (const slice of decodeRequestBody(plain(), by(UNSIGNED)).body as AsyncIterable<Buffer>)
      slices.push(slice);
    expect(slices).toHaveLength(1);
    expect(slices[0]?.buffer).toBe(HELLO.buffer);
  });

  it('may be empty', async () => {
    const { body, contentLength } = decodeRequestBody(put([], []), by(UNSIGNED));
    expect(contentLength).toBe(0);
    expect(await buffer(body)).toHaveLength(0);
  });

  it('are IncompleteBody when shorter than Content-Length', async () => {
    await expectFault(decode(plain([], HELLO.subarray(1))), 'IncompleteBody');
  });

  it('are IncompleteBody when longer than Content-Length', async () => {
    await expectFault(decode(plain([], Buffer.concat([HELLO, HELLO]))), 'IncompleteBody');
  });

  it('are IncompleteBody when the connection breaks', async () => {
    const broken = new Readable({
      read() {
        this.push(HELLO.subarray(0, 4));
        this.destroy(new Error('ECONNRESET'));
      },
    });
    await expectFault(decode({ ...plain(), body: broken }), 'IncompleteBody');
  });

  it('are IncompleteBody when the connection was gone before', async () => {
    const gone = new Readable({ read: () => undefined });
    gone.destroy();
    await expectFault(decode({ ...plain(), body: gone }), 'IncompleteBody');
  });

  it('need a length where the operation asks for it', () => {
    expect(() => decodeRequestBody(put([], []), by(UNSIGNED), { requireLength: true })).toThrow(
      expect.objectContaining({ code: 'MissingContentLength' }),
    );
  });

  it('may have no length with transfer coding, up to the limit', async () => {
    const request = () => put([['transfer-encoding', 'chunked']], HELLO);
    expect(decodeRequestBody(request(), by(UNSIGNED)).contentLength).toBeUndefined();
    expect(await decode(request())).toEqual(HELLO);
    await expectFault(decode(request(), UNSIGNED, { maxBytes: 5 }), 'EntityTooLarge');
  });

  it.each([
    ['5 GiB and a byte', String(5 * 2 ** 30 + 1), 'EntityTooLarge'],
    ['a length that is no number', '1e3', 'InvalidArgument'],
    ['a negative length', '-1', 'InvalidArgument'],
  ])('are refused at once with %s', (_name, length, code) => {
    expect(() => decodeRequestBody(put([['content-length', length]], []), by(UNSIGNED))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('stated digests', () => {
  const sha256 = (bytes: Uint8Array): PayloadDeclaration => ({
    kind: 'sha256',
    hex: createHash('sha256').update(bytes).digest('hex'),
  });

  it('x-amz-content-sha256 is verified', async () => {
    expect(await decode(plain(), sha256(HELLO))).toEqual(HELLO);
    await expectFault(decode(plain(), sha256(Buffer.from('x'))), 'XAmzContentSHA256Mismatch');
  });

  it('Content-MD5 is verified', async () => {
    expect(await decode(plain([['content-md5', digest('MD5', HELLO)]]))).toEqual(HELLO);
    await expectFault(decode(plain([['content-md5', digest('MD5', Buffer.from('x'))]])), 'BadDigest', /Content-MD5/);
  });

  it.each(['', 'abc', 'AAAA', 'not base64 at all!!!!!=='])('Content-MD5 %j is InvalidDigest', (value) => {
    expect(() => decodeRequestBody(plain([['content-md5', value]]), by(UNSIGNED))).toThrow(
      expect.objectContaining({ code: 'InvalidDigest' }),
    );
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    '%s is verified and given on',
    async (algorithm) => {
      const header = (value: string): WireHeader => [`x-amz-checksum-${algorithm.toLowerCase()}`, value];
      const right = digest(algorithm, HELLO);
      const { body, checksum } = decodeRequestBody(plain([header(right)]), by(UNSIGNED));
      expect(await buffer(body)).toEqual(HELLO);
      expect(checksum?.algorithm).toBe(algorithm);
      expect(checksum?.value()).toBe(right);
      await expectFault(
        decode(plain([header(digest(algorithm, Buffer.from('x')))])),
        'BadDigest',
        new RegExp(algorithm),
      );
    },
  );

  it('are computed where the client named only the algorithm', async () => {
    const { body, checksum } = decodeRequestBody(plain([['x-amz-checksum-algorithm', 'CRC32C']]), by(UNSIGNED));
    await buffer(body);
    expect(checksum?.value()).toBe(digest('CRC32C', HELLO));
  });

  const CRC32: WireHeader = ['x-amz-checksum-crc32', digest('CRC32', HELLO)];
  it.each<[string, WireHeader[], RegExp]>([
    [
      'a value that is no base64',
      [['x-amz-checksum-crc32', '!!!!!!==']],
      /Value for x-amz-checksum-crc32 header is invalid/,
    ],
    ['a value of another length', [['x-amz-checksum-crc32', digest('SHA1', HELLO)]], /is invalid/],
    ['an unknown algorithm', [['x-amz-checksum-crc16', 'AAA=']], /algorithm type you specified/],
    ['two checksums', [CRC32, ['x-amz-checksum-sha1', digest('SHA1', HELLO)]], /Expecting a single/],
    ['a checksum twice', [CRC32, CRC32], /Expecting a single/],
    ['a checksum and a trailer', [CRC32, ['x-amz-trailer', 'x-amz-checksum-sha1']], /Expecting a single/],
    ['a trailer without aws-chunked', [['x-amz-trailer', 'x-amz-checksum-sha1']], /x-amz-trailer/],
    ['another algorithm than named', [CRC32, ['x-amz-sdk-checksum-algorithm', 'SHA1']], /x-amz-sdk-checksum-algorithm/],
    ['a named algorithm without a value', [['x-amz-sdk-checksum-algorithm', 'SHA1']], /no corresponding/],
    ['an unsupported asked algorithm', [['x-amz-checksum-algorithm', 'MD4']], /unsupported/],
  ])('refuse %s as InvalidRequest', (_name, headers, message) => {
    expect(() => decodeRequestBody(plain(headers), by(UNSIGNED))).toThrow(
      expect.objectContaining({ code: 'InvalidRequest', message: expect.stringMatching(message) as string }),
    );
  });
});

describe('aws-chunked without signatures', () => {
  const crc = digest('CRC32', HELLO);
  const announced: WireHeader[] = [['x-amz-trailer', 'x-amz-checksum-crc32']];
  const body = (trailer: string) => `12\r\n${HELLO.toString()}\r\n0\r\n${trailer}\r\n`;

  it('is decoded, its trailer verified', async () => {
    const request = chunked(body(`x-amz-checksum-crc32:${crc}\r\n`), announced);
    const decoded = decodeRequestBody(request, by(UNSIGNED_TRAILER));
    expect(decoded.checksum?.value()).toBeUndefined();
    expect(await buffer(decoded.body)).toEqual(HELLO);
    expect(decoded.checksum?.value()).toBe(crc);
  });

  it('bears the ways in which clients write trailers', async () => {
    for (const trailer of [
      `X-Amz-Checksum-CRC32: ${crc} \r\n`,
      `x-amz-checksum-crc32:${crc}\n`,
      `x-amz-checksum-crc32:${crc}\n\r\n`,
    ])
      expect(await decode(chunked(body(trailer), announced), UNSIGNED_TRAILER)).toEqual(HELLO);
  });

  it('knows the checksum before the iterator returns', async () => {
    const { body: stream, checksum } = decodeRequestBody(
      chunked(body(`x-amz-checksum-crc32:${crc}\r\n`), announced),
      by(UNSIGNED_TRAILER),
    );
    for await (const slice of stream) expect(slice).toBeInstanceOf(Buffer);
    expect(checksum?.value()).toBe(crc);
  });

  it.each<[string, string, S3ErrorCode]>([
    ['a wrong trailing checksum', body('x-amz-checksum-crc32:AAAAAA==\r\n'), 'BadDigest'],
    ['a malformed trailing checksum', body('x-amz-checksum-crc32:AAAA\r\n'), 'InvalidRequest'],
    ['no trailer though announced', body(''), 'MalformedTrailerError'],
    [
      'another trailer than announced',
      body(`x-amz-checksum-sha1:${digest('SHA1', HELLO)}\r\n`),
      'MalformedTrailerError',
    ],
    ['a trailer twice', body(`x-amz-checksum-crc32:${crc}\r\n`.repeat(2)), 'MalformedTrailerError'],
    ['a trailer line without a colon', body('nonsense\r\n'), 'MalformedTrailerError'],
    ['an endless trailer', body(`x-amz-checksum-crc32:${' '.repeat(20_000)}`), 'MalformedTrailerError'],
    ['a size that is no number', `zz\r\n${HELLO.toString()}\r\n0\r\n\r\n`, 'InvalidRequest'],
    ['a size beyond all bounds', `${'f'.repeat(14)}\r\n`, 'InvalidRequest'],
    ['an endless chunk header', `12;${'x'.repeat(2000)}`, 'InvalidRequest'],
    ['a chunk longer than its size', `2\r\n${HELLO.toString()}\r\n0\r\n\r\n`, 'InvalidRequest'],
    ['more than was stated', `13\r\n${HELLO.toString()}x\r\n0\r\n\r\n`, 'IncompleteBody'],
    [
      'less than was stated',
      `2\r\nhe\r\n0\r\nx-amz-checksum-crc32:${digest('CRC32', Buffer.from('he'))}\r\n\r\n`,
      'IncompleteBody',
    ],
    ['a body that stops within a chunk', `12\r\nhello`, 'IncompleteBody'],
    ['a body that stops before the last chunk', `12\r\n${HELLO.toString()}\r\n`, 'IncompleteBody'],
    ['a body that stops within the trailer', body(`x-amz-checksum-crc32:${crc}`).slice(0, -2), 'IncompleteBody'],
  ])('refuses %s', async (_name, text, code) => {
    await expectFault(decode(chunked(text, announced), UNSIGNED_TRAILER), code);
  });

  it('needs the decoded length', () => {
    expect(() => decodeRequestBody(put(announced, []), by(UNSIGNED_TRAILER))).toThrow(
      expect.objectContaining({ code: 'MissingContentLength' }),
    );
  });

  it.each(['x-amz-meta-a', 'x-amz-checksum-algorithm'])('refuses to await the trailer %s', (name) => {
    expect(() => decodeRequestBody(chunked('', [['x-amz-trailer', name]]), by(UNSIGNED_TRAILER))).toThrow(
      expect.objectContaining({ code: 'InvalidRequest' }),
    );
  });
});

describe('aws-chunked with signatures', () => {
  const open = async (request: WireRequest) => decodeRequestBody(request, await authenticate(request, exampleDeps()));
  const cuts = fc.array(fc.nat(CHUNKED_BODY.length - 1), { maxLength: 40 });

  it.each([
    ['chunks', CHUNKED_BODY, chunkedPut],
    ['chunks and trailer', TRAILER_BODY, trailerPut],
  ])('verifies %s however the bytes are split', async (_name, bytes, request) => {
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const { body } = await open(request(split(bytes, places)));
        expect(Buffer.alloc(66_560, 'a').equals(await buffer(body))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('verifies them byte by byte', async () => {
    const single = Array.from({ length: TRAILER_BODY.length }, (_, i) => TRAILER_BODY.subarray(i, i + 1));
    const { body } = await open(trailerPut(single));
    expect(await buffer(body)).toHaveLength(66_560);
  });

  it('notices any changed byte and any truncation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(TRAILER_BODY.length - 3), fc.integer({ min: 1, max: 255 }), async (place, change) => {
        const changed = Buffer.from(TRAILER_BODY);
        changed[place] = (changed[place] ?? 0) ^ change;
        const outcome = await open(trailerPut([changed]))
          .then(({ body }) => buffer(body))
          .catch((error: unknown) => error);
        // A change of a hex digit's or header's case says the same; so may white space. The bytes given must then be right.
        if (Buffer.isBuffer(outcome)) expect(Buffer.alloc(66_560, 'a').equals(outcome)).toBe(true);
        else expect(outcome).toMatchObject({ name: 'S3Error' });
        await expect(
          open(trailerPut([TRAILER_BODY.subarray(0, place)])).then(({ body }) => buffer(body)),
        ).rejects.toMatchObject({
          code: 'IncompleteBody',
        });
      }),
      { numRuns: 100 },
    );
  });

  const replaced = (bytes: Buffer, from: string, to: string) => [
    Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1'),
  ];
  it.each<[string, WireRequest, S3ErrorCode]>([
    ['a wrong chunk signature', chunkedPut(replaced(CHUNKED_BODY, '=0055', '=1155')), 'SignatureDoesNotMatch'],
    ['a changed chunk', chunkedPut(replaced(CHUNKED_BODY, 'aaa', 'aba')), 'SignatureDoesNotMatch'],
    ['a missing chunk signature', chunkedPut(replaced(CHUNKED_BODY, ';chunk-signature=', ';other=')), 'InvalidRequest'],
    [
      'a wrong trailer signature',
      trailerPut(replaced(TRAILER_BODY, 'signature:d81f', 'signature:181f')),
      'SignatureDoesNotMatch',
    ],
    [
      'no trailer signature',
      trailerPut(replaced(TRAILER_BODY, /x-amz-trailer-sig.*\r\n/.exec(TRAILER_BODY.toString())?.[0] ?? '', '')),
      'MalformedTrailerError',
    ],
    [
      'a trailer after the signature',
      trailerPut([TRAILER_BODY.subarray(0, -2), Buffer.from('x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n')]),
      'MalformedTrailerError',
    ],
    ['chunks reordered', chunkedPut(replaced(CHUNKED_BODY, '10000;', '400;')), 'SignatureDoesNotMatch'],
    [
      'a trailer in a mode without',
      chunkedPut([CHUNKED_BODY.subarray(0, -2), Buffer.from('x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n')]),
      'MalformedTrailerError',
    ],
  ])('refuses %s', async (_name, request, code) => {
    await expectFault(
      open(request).then(({ body }) => buffer(body)),
      code,
    );
  });

  it('tells a rightly signed but wrong trailing checksum from a forged one', async () => {
    const authenticated = await authenticate(trailerPut(), exampleDeps());
    if (authenticated.chunkSigning === undefined) throw new Error('the example signs its chunks');
    const signature = signTrailer(
      authenticated.chunkSigning,
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
      'x-amz-checksum-crc32c:AAAAAA==\n',
    );
    const text = TRAILER_BODY.toString('latin1')
      .replace('sOO8/Q==', 'AAAAAA==')
      .replace(/signature:d81f\w+/, `signature:${signature}`);
    await expectFault(
      open(trailerPut([Buffer.from(text, 'latin1')])).then(({ body }) => buffer(body)),
      'BadDigest',
    );
  });
});

describe('the stream', () => {
  it('keeps backpressure: a reader that stops stops the source', async () => {
    let produced = 0;
    const source = new Readable({
      read() {
        produced += 65_536;
        this.push(Buffer.alloc(65_536));
      },
    });
    const { body } = decodeRequestBody({ ...put([['transfer-encoding', 'chunked']], []), body: source }, by(UNSIGNED));
    body.read(1);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(produced).toBeLessThan(2 * 2 ** 20);
    source.destroy();
    body.destroy();
  });

  it('reads and drops the rest after a fault, and leaves the source alive for the answer', async () => {
    const request = plain([], Buffer.concat([HELLO, HELLO]));
    let drained = false;
    request.body.once('end', () => (drained = true));
    await expectFault(decode(request), 'IncompleteBody');
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(drained).toBe(true);
    expect(request.body.errored).toBeNull();
  });
});

describe('storedContentEncoding', () => {
  it.each([
    [undefined, undefined],
    ['aws-chunked', undefined],
    ['AWS-Chunked', undefined],
    ['aws-chunked,gzip', 'gzip'],
    ['gzip, aws-chunked', 'gzip'],
    ['br, gzip', 'br,gzip'],
    ['', undefined],
  ])('of %j is %j', (header, stored) => {
    expect(storedContentEncoding(header)).toBe(stored);
  });
});
