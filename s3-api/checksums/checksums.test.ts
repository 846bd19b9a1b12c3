import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineCrcs, createHasher, decodeDigest, multipartChecksum, multipartChecksumType } from './index.js';

const CRCS = ['CRC32', 'CRC32C', 'CRC64NVME'] as const;

function digestOf(algorithm: Parameters<typeof createHasher>[0], ...pieces: Uint8Array[]): Buffer {
  const hasher = createHasher(algorithm);
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest();
}

describe('createHasher', () => {
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
    ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['SHA256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
    ['MD5', '25f9e794323b453885f5181f1b624d0b'],
  ] as const)('gives the check value of %s', (algorithm, expected) => {
    expect(digestOf(algorithm, Buffer.from('123456789')).toString('hex')).toBe(expected);
  });

  it.each(CRCS)('%s hashers that take turns do not disturb each other', (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.uint8Array({ maxLength: 40 })), { maxLength: 30 }), (turns) => {
        const hashers = [0, 1, 2].map(() => createHasher(algorithm));
        for (const [who, bytes] of turns) hashers[who]?.update(bytes);
        hashers.forEach((hasher, index) => {
          const alone = digestOf(algorithm, Buffer.concat(turns.filter(([who]) => who === index).map(([, b]) => b)));
          expect(hasher.digest()).toEqual(alone);
        });
      }),
    );
  });
});

describe('combineCrcs', () => {
  it.each(CRCS)('%s of pieces is that of the whole', (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (pieces) => {
        const combined = combineCrcs(
          algorithm,
          pieces.map((piece) => ({ crc: digestOf(algorithm, piece), size: piece.length })),
        );
        expect(combined).toEqual(digestOf(algorithm, ...pieces));
      }),
    );
  });

  it('combines ten thousand parts of 5 GiB in well under a second', () => {
    const crc = digestOf('CRC64NVME', Buffer.from('part'));
    const started = performance.now();
    combineCrcs(
      'CRC64NVME',
      Array.from({ length: 10_000 }, () => ({ crc, size: 5 * 2 ** 30 })),
    );
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('multipart checksums', () => {
  const parts = [Buffer.from('first part'), Buffer.from('second')];
  const partsOf = (algorithm: 'SHA256' | 'CRC32C') =>
    parts.map((part) => ({ value: digestOf(algorithm, part).toString('base64'), size: part.length }));

  it('hashes the digests of the parts when composite', () => {
    const expected = digestOf('SHA256', ...parts.map((part) => digestOf('SHA256', part))).toString('base64');
    expect(multipartChecksum('SHA256', 'COMPOSITE', partsOf('SHA256')).value).toBe(`${expected}-2`);
  });

  it('is the checksum of all bytes when full object', () => {
    expect(multipartChecksum('CRC32C', 'FULL_OBJECT', partsOf('CRC32C')).value).toBe(
      digestOf('CRC32C', ...parts).toString('base64'),
    );
  });

  it('knows the standard type of each algorithm', () => {
    expect(multipartChecksumType('CRC32')).toBe('COMPOSITE');
    expect(multipartChecksumType('CRC64NVME')).toBe('FULL_OBJECT');
    expect(multipartChecksumType('SHA1')).toBe('COMPOSITE');
  });

  it.each([
    ['CRC64NVME', 'COMPOSITE'],
    ['SHA1', 'FULL_OBJECT'],
    ['SHA256', 'FULL_OBJECT'],
  ] as const)('refuses %s with %s', (algorithm, type) => {
    expect(() => multipartChecksumType(algorithm, type)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
  });

  it('refuses a part without a valid digest', () => {
    expect(() => multipartChecksum('CRC32', 'COMPOSITE', [{ value: 'AAAA', size: 1 }])).toThrow(
      expect.objectContaining({ code: 'InvalidRequest' }),
    );
  });
});

describe('decodeDigest', () => {
  it.each(['', 'AAAAA', 'AAAAAA==x', 'AAAA', 'AAAAAB==', '!!!!!!=='])('refuses %j', (value) => {
    expect(decodeDigest('CRC32', value)).toBeUndefined();
  });
});
